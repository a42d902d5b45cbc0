import { hostileAnswerer } from './api-answers.js';
import { unclear } from './clear.js';
import { hostileQuery } from './hostile-values.js';
import { type Bench, Finding, type FuzzCase, type Outcome, type Surface } from './surface.js';
import {
  hostileJson,
  hostileName,
  hostileText,
  type Json,
  mutate,
  type Random,
  Raw,
  SMALL,
  writeJson,
} from './values.js';

/** Node-RED's own body limit for its admin API is 5 MB. */
const MAX_BODY = 4_500_000;
const MAX_TARGET = 10_000;

interface AdminRequest {
  path: string;
  method?: string;
  body?: string | undefined;
  contentType?: string | undefined;
}

/** Sends the bytes unchanged, and checks the response. */
export async function adminRequest(
  { target }: Bench,
  { path, method = 'POST', body, contentType = 'application/json' }: AdminRequest,
): Promise<Outcome> {
  const bytes = Buffer.from(body ?? '');
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Accept: application/json',
    'Connection: close',
    ...(body === undefined
      ? []
      : [`Content-Type: ${contentType}`, `Content-Length: ${bytes.length}`]),
  ].join('\r\n');
  const answer = await target.raw({
    bytes: Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes]),
  });
  if (answer.status === undefined)
    throw new Finding(`${method} ${path.slice(0, 60)}: no HTTP answer`);
  if (answer.status < 300) return 'right';
  const failure = parsed(answer.body);
  // A rejection by Node-RED itself has Node-RED's own format.
  if (
    failure === undefined ||
    typeof failure.code !== 'string' ||
    !failure.code.startsWith('ION_')
  ) {
    if (answer.status === 500)
      throw new Finding(`${method} ${path.slice(0, 60)}: HTTP 500 ${answer.body.slice(0, 300)}`);
    return 'clear';
  }
  const reason = unclear(failure);
  if (reason) throw new Finding(reason);
  return 'clear';
}

/** A lone surrogate cannot be part of a URL. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function parsed(text: string): { code?: unknown; message?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value ? value : undefined;
  } catch {
    return undefined;
  }
}

const CONFIG_NAMES = [
  'apiUrl',
  'authUrl',
  'audience',
  'authScheme',
  'timeout',
  'concurrency',
  'queueLimit',
  'retries',
  'timeZone',
  'outboxLimit',
  'outboxSize',
  'tls',
  'proxy',
  'allowHttp',
];

/** Regular expressions run on strings, so strings are more frequent than by chance. */
function hostileInBody(random: Random): Raw {
  if (random.chance(0.5)) {
    const { value, what } = hostileText(random);
    return new Raw(JSON.stringify(value), what);
  }
  return hostileJson(random, SMALL);
}

function rightBody(random: Random, path: string, url: string): Json {
  const wanted = (): { [key: string]: Json } => ({
    kind: random.pick(['run', 'step', 'field', 'x']),
    search: random.chance(0.5) ? hostileText(random).value : random.pick(['', '3']),
    run: random.pick<Json>([1, '1', '']),
    step: random.pick<Json>(['A', 1]),
  });
  const operation = (): { [key: string]: Json } => ({
    query: random.chance(0.7) ? '{ me { id } }' : hostileQuery(random).value,
    ...{ variables: { id: 1 }, operationName: '', confirmed: random.chance(0.5) },
  });
  const lookup = (): { [key: string]: Json } => ({
    by: random.pick(['barcode', 'serial', 'run', 'location', 'x']),
    value: random.chance(0.5) ? hostileText(random).value : random.pick(['SN-0001', '3', '']),
    ...{ part: '', step: random.pick(['', 'A']), fields: random.chance(0.5) },
  });
  if (path.endsWith(':id/find')) return wanted();
  if (path.endsWith(':id/lookup')) return lookup();
  if (path.endsWith(':id/run')) return operation();
  if (['/test', '/find', '/run', '/lookup'].some((end) => path.endsWith(end))) {
    const hostileUrl = () => {
      const { value } = hostileText(random);
      if (random.chance(0.3))
        return `${url}/hostile${random.pick(['/', '@', '?', '#', ':'])}${value}`;
      return random.pick([
        value,
        `http://127.0.0.1${value}`,
        `http://localhost/${value}`,
        `http://${value}@127.0.0.1:1/`,
      ]);
    };
    const config: { [key: string]: Json } = {
      environment: 'custom',
      apiUrl: `${url}/hostile`,
      authUrl: `${url}/hostile`,
      timeout: 1,
    };
    if (random.chance(0.7))
      config[random.pick(['apiUrl', 'authUrl', 'audience', 'proxy'])] = hostileUrl();
    if (random.chance(0.3)) config[random.pick(CONFIG_NAMES)] = hostileInBody(random);
    return {
      id: random.pick(['new', 'hostile', 'good', 'catch']),
      config,
      credentials: {
        clientId: 'client',
        clientSecret: random.pick(['secret', '', '__PWRD__', '${HOME}']),
      },
      ...(path.endsWith('/find') && wanted()),
      ...(path.endsWith('/run') && operation()),
      ...(path.endsWith('/lookup') && lookup()),
    };
  }
  return {
    decision: random.pick(['retry', 'discard', 'x']),
    sequences: random.pick<Json>(['all', [1, 2], [1], [], [1e300], [-1]]),
    ...(random.chance(0.3) && { value: random.pick<Json>([{ id: 1 }, [1], null, 'x', 5]) }),
  };
}

export const adminRequests: Surface = {
  name: 'admin requests',
  make(random, bench) {
    const id = random.chance(0.6)
      ? random.pick(['hostile', 'good'])
      : random.pick([
          ...['catch', 'flow', 'graphql-one', '%00', '..%2f..', '%', '%E0%A4%A', ' ', '${HOME}'],
          encodeURIComponent(hostileName(random)),
          encodeURIComponent(wellFormed(hostileText(random, MAX_TARGET / 4).value)).slice(
            0,
            MAX_TARGET,
          ),
        ]);
    const sequence = random.pick(['1', '2', '0', '-1', '1e300', '1.5', 'x', '%20', '%00']);
    const route = random.pick([
      'test',
      'test',
      'find',
      'check',
      ':id/check',
      'run',
      'lookup',
      ':id/lookup',
      ':id/find',
      ':id/run',
      ':id/run',
      ':id/outbox',
      ':id/outbox',
      ':id/outbox/:sequence',
      ':id/schema',
    ]);
    const prefix = random.pick([
      '/ion-config/',
      '/ion-config/',
      '/ion-config/',
      '/ION-CONFIG/',
      '//ion-config//',
    ]);
    const isSchema = route.endsWith('schema');
    const queries = [
      '',
      '?refresh',
      '?refresh=1&refresh=2',
      '?refresh[a]=1',
      `?${'a'.repeat(5000)}`,
      '?__proto__[x]=1',
    ];
    const path =
      prefix +
      route.replace(':id', () => id).replace(':sequence', () => sequence) +
      (isSchema || random.chance(0.1) ? random.pick(queries) : '');
    const isGet =
      (isSchema && random.chance(0.8)) ||
      (route.endsWith('outbox') && random.chance(0.4)) ||
      (route.endsWith('sequence') && random.chance(0.9));
    const method = random.chance(0.05)
      ? random.pick(['PUT', 'DELETE', 'OPTIONS', 'HEAD'])
      : isGet
        ? 'GET'
        : 'POST';
    let body: string | undefined;
    let what = 'no body';
    let contentType = 'application/json';
    if (!isGet && random.chance(0.95)) {
      const mutated = random.chance(0.85)
        ? mutate(random, rightBody(random, `/${route}`, bench.ion.url), hostileInBody)
        : { value: rightBody(random, `/${route}`, bench.ion.url) as Json, what: 'a right body' };
      body = writeJson(mutated.value);
      what = mutated.what;
      if (random.chance(0.06)) body = body.slice(0, random.int(0, Math.min(body.length, 2000)));
      if (random.chance(0.08)) {
        contentType = random.pick([
          'application/x-www-form-urlencoded',
          'text/plain',
          'application/json; charset=utf-16',
          '',
          'multipart/form-data; boundary=x',
        ]);
        if (contentType.includes('form-urlencoded'))
          body = `id=new&config[apiUrl]=${encodeURIComponent(wellFormed(body.slice(0, 50_000)))}&${'a[b]=1&'.repeat(500)}`;
      }
      if (body.length > MAX_BODY) body = '{}';
    }
    const answererOf = random.chance(0.5)
      ? hostileAnswerer(random, [random.chance(0.8) ? 'api' : 'token'])
      : undefined;
    const fuzzCase: FuzzCase = {
      what: '',
      async run(): Promise<Outcome> {
        const told: string[] = [];
        bench.ion.answerBy(answererOf?.(told));
        try {
          return await adminRequest(bench, {
            path: path.replaceAll(' ', '%20'),
            method,
            body,
            contentType,
          });
        } finally {
          bench.ion.answerBy();
          const sent =
            body === undefined
              ? ''
              : `, ${contentType}, ${body.length} characters beginning ${JSON.stringify(body.slice(0, 120))}`;
          fuzzCase.what = [`${method} ${path.slice(0, 80)}: ${what}${sent}`, ...told].join('; ');
        }
      },
    };
    return fuzzCase;
  },
};
