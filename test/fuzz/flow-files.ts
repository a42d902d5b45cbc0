import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  runsNode,
  stepNode,
} from '../../tools/flow-nodes.js';
import { configNodes, registeredHook, SECRET } from './flow.js';
import { type FuzzCase, judgeMessage, type Outcome, type Surface } from './surface.js';
import { hostileJson, hostileText, type Json, type Random, writeJson } from './values.js';

/** Node-RED itself reads and copies each flow file several times. */
const SIZES = { maxDepth: 400, maxWidth: 1000, maxText: 40_000 };
/** Without names such as `__proto__`, at which Node-RED's own flows stop. */
const IDS = [
  '../../x',
  '/etc/x',
  'a/b',
  '..',
  '.',
  ' ',
  'x'.repeat(300),
  'x'.repeat(5000),
  '%2e%2e',
  '\u0000',
  'ä→😀',
  'CON',
  'hostile ',
  'a\nb',
];

/** Properties that need a number, a URL, a path or a name, with odd values for them. */
const PARTICULAR: Record<string, Json[]> = {
  path: [
    '',
    '/',
    '//',
    '/a/:b',
    '/a*',
    '/(a+)+$',
    '/hook/open',
    '/ion-config/test',
    '/flows',
    '/../x',
    `/${'a/'.repeat(10_000)}`,
    `/${'a.'.repeat(10_000)}!`,
    '/%',
    '/%zz',
    'no-slash',
  ],
  publicUrl: [
    '',
    'x',
    `https://x/${'/'.repeat(30_000)}`,
    `https://x/${'/'.repeat(30_000)}x`,
    'http://[::1',
    'javascript:1',
    `${' '.repeat(30_000)}x`,
  ],
  signatureHeader: ['', '__proto__', 'content-length', 'a b', 'x'.repeat(10_000), 'constructor'],
  interval: ['', '0', '-1', '1e-300', '1e300', 'NaN', 0, -5, 1e12, '0x10'],
  pageSize: [0, -1, 1e300, '1e9', 'x', 1.5],
  limit: [-1, 1e300, 'x', 1.5, '', null],
  expectedResponseCode: ['', '99', '1000', 'x', -1, 1e300, 200.5, '100', '101'],
  timeout: ['0.1', '1e300', 'x', -1, 1e12, '2147484'],
  concurrency: ['1e300', 0, -1, 1.5, 'x', '${X}'],
  queueLimit: [0, -1, 1e300, 'x'],
  retries: [0, -1, 1e300, 'x'],
  timeZone: ['', '__proto__', '+02:00', 'x'.repeat(30_000), 'UTC', ['UTC'], 5, null],
  outboxLimit: [0, -5, 'x', 1e300],
  outboxSize: [0, -5, 'x', 1e300],
  environment: ['', '__proto__', 'constructor', 'toString', 'nowhere', null],
  output: [
    '',
    '.',
    'a..b',
    '__proto__.x',
    'constructor.prototype.x',
    '[',
    'payload[',
    `a${'.b'.repeat(5000)}`,
    `a${'[0'.repeat(5000)}`,
    'payload["',
  ],
  resource: ['', '__proto__', 'NOTHING', 'constructor'],
  field: ['', '__proto__', '.', 'a'.repeat(40_000)],
  tls: ['hostile', 'catch', '__proto__'],
  proxy: ['hostile', 'catch', '__proto__'],
};

function hostileProperty(random: Random, name: string): { value: Json; what: string } {
  const own = PARTICULAR[name];
  if (own && random.chance(0.6)) {
    const value = random.pick(own);
    return { value, what: JSON.stringify(value).slice(0, 60) };
  }
  if (random.chance(0.4)) {
    const { value, what } = hostileText(random, SIZES.maxText);
    return { value, what };
  }
  const raw = hostileJson(random, SIZES);
  return { value: raw, what: raw.what };
}

const HIDDEN = ['z', 'x', 'y', 'type', 'wires', 'g', 'd'];

export const flowFiles: Surface = {
  name: 'flow files',
  make(random, bench) {
    const number = random.int(1, 1e9);
    const configId = random.chance(0.8) ? `config-${number}` : random.pick(IDS);
    const nodeId = random.chance(0.8) ? `node-${number}` : random.pick(IDS);
    const [good] = configNodes(bench.ion.url);
    const config = { ...(good as FlowNode), id: configId } as FlowNode & Record<string, Json>;
    const template = random.pick([
      graphqlNode,
      runsNode,
      stepNode,
      { ...stepNode, delivery: 'outbox' },
      eventsNode,
      { ...eventsNode, via: 'webhook', verify: false, path: `/fuzzed/${number}` },
      { ...registeredHook(number), path: `/fuzzed/${number}` },
    ]);
    const node = {
      ...template,
      id: nodeId,
      config: random.chance(0.85)
        ? configId
        : random.pick(['catch', 'flow', '__proto__', nodeId, '', 'hostile', 'good']),
      z: 'flow',
      x: 0,
      y: 0,
      wires: [['sent'], ['sent']],
      ...(template.via === 'webhook' && { credentials: { secret: SECRET } }),
    } as unknown as FlowNode & Record<string, Json>;
    const told = [
      `${String(node.type)} "${nodeId.slice(0, 40)}" with config "${String(node.config).slice(0, 40)}"`,
    ];
    for (const each of [node, node, ...(random.chance(0.5) ? [config] : [])].slice(
      0,
      random.int(1, 3),
    )) {
      const names = Object.keys(each).filter((name) => name !== 'id' && !HIDDEN.includes(name));
      const particular = names.filter((each) => Object.hasOwn(PARTICULAR, each));
      const name = random.pick(random.chance(0.5) ? particular : names);
      const { value, what } = hostileProperty(random, name);
      // A preset would lead to hosts on the internet.
      each[name] = value as never;
      told.push(`${each === node ? 'its' : "its config's"} ${name} = ${what}`);
    }
    const json = [config, node].map((each) => writeJson(each as unknown as Json)).join(',');
    const calm = [config, node]
      .map((each) => writeJson({ ...each, type: 'comment' } as unknown as Json))
      .join(',');
    const type = random.chance(0.7) ? ('nodes' as const) : ('full' as const);
    const isMessage = random.chance(0.6) && node.type !== 'ion-events';
    const fuzzCase: FuzzCase = {
      what: told.join('; '),
      async run(): Promise<Outcome> {
        const status = await bench.target.deploy(type, [], json);
        try {
          if (status >= 300 || !isMessage) return status < 300 ? 'right' : 'clear';
          const msg = {
            run: 1,
            step: 'Assemble',
            field: 'Torque',
            payload: 1,
            filename: 'x',
            variables: {},
          };
          const { outcome } = await judgeMessage(bench, { node: nodeId, msg }).catch(
            (thrown: unknown) => {
              // Node-RED has not created the node.
              if (String(thrown).includes('no node')) return { outcome: 'clear' as const };
              throw thrown;
            },
          );
          return outcome;
        } finally {
          if (bench.target.isRunning) await bench.target.deploy('nodes', []);
        }
      },
      async control(): Promise<void> {
        await bench.target.deploy(type, [], calm);
        await bench.target.deploy('nodes', []);
      },
    };
    return fuzzCase;
  },
};
