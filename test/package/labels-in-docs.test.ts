import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';
import { environments } from '../../nodes/client/auth/environments.js';
import { root } from '../../tools/package.js';

// In the documents, italics mark labels, choices and buttons, and nothing else.

type Catalogue = { [key: string]: string | Catalogue };

const NODES = [
  'ion-config',
  'ion-events',
  'ion-graphql',
  'ion-lookup',
  'ion-runs',
  'ion-step',
] as const;
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)];
/** Texts of Node-RED by key; add a key when a document names its text. */
const OF_NODE_RED = [
  'common.label.done',
  'csv.hdrout.all',
  'deploy.deploy',
  'deploy.modifiedNodes',
  'editor.configAdd',
  'editor.configUpdate',
  'file.action.overwrite',
  'httpin.senderr',
  'inject.label.repeat',
  'library.types.examples',
  'menu.label.import',
  'mqtt.label.cleanstart',
  'mqtt.label.keepalive',
  'palette.editor.tab-install',
  'palette.editor.title',
  'tls.label.verify-server-cert',
];
/** Names of ION's own pages. */
const OF_ION = ['Settings', 'API keys', 'Access Tokens'];

const json = (path: string): Catalogue => JSON.parse(readFileSync(path, 'utf8'));
const locales = join(root, 'nodes/locales');
const catalogueOf = (node: string, language = 'en-US'): Catalogue =>
  json(join(locales, language, `${node}.json`))[node] as Catalogue;

/** Texts of a catalogue without markup. */
function textsOf(catalogue: Catalogue): string[] {
  return Object.values(catalogue).flatMap((value) =>
    typeof value === 'string' ? [value.replace(/<[^>]*>/g, '')] : textsOf(value),
  );
}

function ofNodeRed(language = 'en-US'): string[] {
  const packages = dirname(dirname(require.resolve('@node-red/editor-client/package.json')));
  const catalogues = [language, 'en-US'].flatMap((each) => [
    json(join(packages, `editor-client/locales/${each}/editor.json`)),
    json(join(packages, `nodes/locales/${each}/messages.json`)),
  ]);
  return OF_NODE_RED.map((key) => {
    const text = (catalogue: Catalogue) =>
      key.split('.').reduce<string | Catalogue | undefined>((part, name) => {
        return typeof part === 'object' ? part[name] : undefined;
      }, catalogue);
    const found = catalogues.map(text).find((each) => typeof each === 'string');
    return String(found ?? assert.fail(`Node-RED has no text ${key}`));
  });
}

/** Buttons with a "+" before their text. */
function additions(): string[] {
  const sources = readdirSync(join(root, 'nodes/editor'), { recursive: true, encoding: 'utf8' });
  return sources
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...readFileSync(join(root, 'nodes/editor', name), 'utf8').matchAll(
        /addButton: queryText\('([\w-]+)\.label\.(\w+)'\)/g,
      ),
    ])
    .map(([, node = '', key = '']) => `+ ${(catalogueOf(node).label as Catalogue)[key]}`);
}

/** Texts in italics, except in the generated tables. */
function inItalics(page: string): string[] {
  const found: string[] = [];
  void marked.walkTokens(tokensOf(page), (token) => {
    if (token.type === 'em') found.push(plain(token.text));
  });
  return found;
}

function tokensOf(page: string): Token[] {
  const text = readFileSync(join(root, page), 'utf8');
  const tokens = marked.lexer(text);
  return page === 'docs/reliability.md' ? tokens.filter(({ type }) => type !== 'table') : tokens;
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('&#39;', "'").replaceAll('&quot;', '"').trim();
}

function isIn(texts: readonly string[], text: string): boolean {
  // Long texts may be truncated.
  const beginning = text.endsWith(' …') ? text.slice(0, -2) : undefined;
  return texts.some(
    (each) => each === text || (beginning !== undefined && each.startsWith(`${beginning} `)),
  );
}

describe('the labels and choices in the documents', () => {
  const ofBundles = ['check', 'graphql-expanded'].map((name) =>
    json(join(locales, 'en-US', `${name}.json`)),
  );
  const own = [
    ...NODES.flatMap((node) => textsOf(catalogueOf(node))),
    ...ofBundles.flatMap(textsOf),
    ...additions(),
  ];
  const known = [...own, ...ofNodeRed(), ...OF_ION];

  for (const page of pages) {
    it(`of ${page} are those of the dialogs`, () => {
      const wrong = inItalics(page).filter((text) => !isIn(known, text));
      assert.deepEqual(wrong, []);
    });
  }

  it('are found in text, lists and tables', () => {
    const found = pages.flatMap(inItalics);
    for (const text of ['+ filter', 'Test connection', 'off (one request, as written)', 'Retry']) {
      assert.ok(found.includes(text), text);
    }
    assert.ok(own.includes('+ filter'));
    // Node-RED has such a button, but not at the place that the README describes.
    assert.ok(!isIn(known, 'add'));
    assert.ok(!isIn(known, 'off') && !isIn(known, '+ condition'));
    assert.ok(isIn(known, 'Register in ION …') && !isIn(known, 'Register by hand …'));
  });
});

/** Part of a property definition in the editor. */
interface Property {
  value: unknown;
}

/** The definitions that the dialogs register. */
async function definitions(): Promise<Record<string, Record<string, Property>>> {
  const found: Record<string, Record<string, Property>> = {};
  const globals = globalThis as Record<string, unknown>;
  globals.RED = {
    _: () => '',
    validators: { typedInput: () => () => true },
    nodes: {
      registerType(type: string, definition: Record<string, Record<string, Property>>) {
        const { defaults, credentials } = definition;
        const secrets = Object.keys(credentials ?? {}).map((name) => [name, { value: '' }]);
        found[type] = { ...defaults, ...Object.fromEntries(secrets) };
      },
    },
  };
  // The sidebar has its tab.
  globals.$ = () => ({ length: 1 });
  try {
    for (const node of NODES) await import(`../../nodes/editor/${node}.js`);
  } finally {
    delete globals.RED;
    delete globals.$;
  }
  return found;
}

/** Defaults that are not a catalogue text, or that the dialog shows as text. */
const DEFAULTS: Record<string, string> = {
  'ion-config.audience': 'the API URL',
  'ion-events.path': '/ion/<node id>',
  'ion-events.fields': 'see below',
  'ion-graphql.query': 'a query of ten runs',
  'ion-runs.fields': 'id title status, and the same for steps',
  'ion-runs.sort': 'id',
  'ion-graphql.output': 'msg.payload',
  'ion-lookup.output': 'msg.work',
  'ion-runs.output': 'msg.payload',
  'ion-step.output': 'msg.payload',
};
/** Every node has these; they are described once. */
const EVERYWHERE = ['name', 'config'];

describe('docs/nodes.md', () => {
  let properties: Record<string, Record<string, Property>>;
  before(async () => {
    properties = await definitions();
  });
  const sections = new Map<string, Tokens.Table[]>();
  let section = '';
  for (const token of tokensOf('docs/nodes.md')) {
    if (token.type === 'heading') section = token.text;
    if (token.type !== 'table') continue;
    sections.set(section, [...(sections.get(section) ?? []), token as Tokens.Table]);
  }
  const rowsOf = (node: string) =>
    (sections.get(node)?.[0]?.rows ?? []).map((cells) =>
      cells.map(({ text }) => plain(text).replaceAll('`', '')),
    );

  for (const node of NODES) {
    const catalogue = catalogueOf(node);
    const labels = catalogue.label as Record<string, string>;
    const expected = () =>
      Object.entries(properties[node] ?? {}).filter(
        ([name]) => name in labels && !EVERYWHERE.includes(name),
      );

    it(`names each row of the dialog of ${node} by its label, once`, () => {
      const named = rowsOf(node).map(([label]) => label);
      assert.deepEqual(
        named.toSorted(),
        expected()
          .map(([name]) => labels[name])
          .toSorted(),
      );
    });

    it(`gives the defaults of ${node} as the dialog shows them`, () => {
      const told = new Map(rowsOf(node).map(([label, , value]) => [label, value]));
      for (const [name, { value }] of expected()) {
        const choices = (catalogue[name] ?? catalogue[name.replace(/s$/, '')]) as Catalogue;
        const type = properties[node]?.[`${name}Type`]?.value;
        const shown = () => {
          const fixed = DEFAULTS[`${node}.${name}`];
          if (fixed !== undefined) return fixed;
          if (typeof value === 'boolean') return value ? 'on' : 'off';
          if (type === 'msg') return `msg.${value}`;
          if (Array.isArray(value)) {
            const texts = value.map((each) => choices[String(each).toLowerCase()]);
            return texts.join(', ') || 'none';
          }
          return String(choices?.[String(value)] ?? value);
        };
        assert.equal(told.get(labels[name])?.replace(/(?<=\d),(?=\d)/g, ''), shown(), name);
      }
    });

    it(`names all choices of ${node}`, () => {
      const said = rowsOf(node).flat().join('\n');
      for (const [name, { value }] of expected()) {
        const choices = catalogue[name];
        // The environments have a separate table.
        if (typeof choices !== 'object' || name === 'environment') continue;
        if (!(String(value) in choices)) continue;
        for (const text of Object.values(choices))
          assert.ok(said.includes(String(text)), String(text));
      }
    });
  }

  it('names the environments and their URLs', () => {
    const { environment } = catalogueOf('ion-config') as { environment: Record<string, string> };
    const rows = sections.get('ion-config')?.[1]?.rows ?? [];
    assert.deepEqual(
      rows.map((cells) => cells.map(({ text }) => text.replaceAll('`', ''))),
      Object.entries(environments).map(([name, { apiUrl, authUrl }]) => [
        environment[name],
        apiUrl,
        authUrl,
      ]),
    );
  });
});

describe('the help of the nodes', () => {
  for (const language of readdirSync(locales)) {
    const texts = [
      ...NODES.flatMap((node) => textsOf(catalogueOf(node, language))),
      ...ofNodeRed(language),
      ...OF_ION,
    ];
    for (const node of NODES) {
      const html = readFileSync(join(locales, language, `${node}.html`), 'utf8');
      const labels = Object.values(catalogueOf(node, language).label as Catalogue);

      it(`uses the dialog's labels of ${node}, in ${language}`, () => {
        const terms = [...html.matchAll(/<dt>([^<]*)<\/dt>/g)].map(([, term = '']) => plain(term));
        const named = terms.flatMap((term) =>
          labels.includes(term) ? [] : term.split(/, |、|・/).filter((each) => !/^ION_/.test(each)),
        );
        assert.deepEqual(
          named.filter((each) => !labels.includes(each)),
          [],
        );
      });

      it(`quotes texts of the dialogs in the help of ${node}, in ${language}`, () => {
        const text = html.replace(/<code>[\s\S]*?<\/code>|<[^>]*>/g, '');
        const quotes = [...text.matchAll(/"([^"]+)"|„([^“]+)“|「([^」]+)」/g)].map((found) =>
          plain(found.slice(1).join('')),
        );
        assert.deepEqual(
          quotes.filter((quote) => !texts.includes(quote)),
          [],
        );
      });
    }
  }
});
