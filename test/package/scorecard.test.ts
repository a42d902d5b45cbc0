// Checks of the Node-RED flow library's scorecard, which itself needs the public catalogue.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Node, parse } from 'acorn';
import { satisfies, subset } from 'semver';
import { install, pack, useTemporaryFolder } from '../../tools/package.js';

interface Manifest {
  name: string;
  license: string;
  repository: { url: string };
  bugs: { url: string };
  keywords: string[];
  engines: { node: string };
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  scripts: Record<string, string>;
  'node-red': { version: string; nodes: Record<string, string> };
}

interface Definition {
  type: string;
  category: string;
  color?: string;
  icon?: string;
  inputs?: number;
  outputs?: number;
}

// Values that the library compares with, in November 2026.
const SUPPORTED_NODE_RED = ['5.0.7', '4.1.15'];
const LOWEST_NODE_OF_NODE_RED = '22.9.0';
const LATEST: Record<string, string> = {
  undici: '8.13.1',
  graphql: '17.1.0',
  oauth4webapi: '3.8.8',
  'classic-level': '3.0.0',
};
/** Dependencies of classic-level. */
const OF_CLASSIC_LEVEL = [
  ...['abstract-level', 'base64-js', 'buffer', 'ieee754', 'is-buffer', 'level-supports'],
  ...['level-transcoder', 'maybe-combine-errors', 'module-error', 'napi-macros', 'node-gyp-build'],
];

describe("the flow library's scorecard", () => {
  const folder = useTemporaryFolder();
  let installed: string;
  let manifest: Manifest;
  const definitions: Definition[] = [];

  before(async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await install(userDir, (await pack(folder.path)).tarball);
    installed = join(userDir, 'node_modules', '@ion-nodes', 'node-red-ion');
    manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    for (const file of Object.values(manifest['node-red'].nodes)) {
      const html = await readFile(join(installed, file.replace(/\.js$/, '.html')), 'utf8');
      definitions.push(...readDefinitions(html));
    }
  });

  it('P01: has a license', () => {
    assert.equal(manifest.license, 'Apache-2.0');
  });

  it('P03: names its repository and its issue tracker', () => {
    assert.match(manifest.repository.url, /github\.com/);
    assert.match(manifest.bugs.url, /github\.com/);
  });

  it('P04: has a scoped name', () => {
    assert.match(manifest.name, /^@[\w-]+\/[\w-]*node-red[\w-]*$/);
  });

  it('P05: is found by the keyword node-red', () => {
    assert.ok(manifest.keywords.includes('node-red'));
  });

  it('P06: runs on the supported versions of Node-RED', () => {
    for (const version of SUPPORTED_NODE_RED) {
      assert.ok(satisfies(version, manifest['node-red'].version), version);
    }
  });

  it('P07: runs on the oldest Node.js that Node-RED supports', () => {
    assert.ok(satisfies(LOWEST_NODE_OF_NODE_RED, manifest.engines.node));
    assert.ok(subset('>=24 <25', manifest.engines.node));
  });

  it('N01: has node types of its own, read from the literal definitions in the HTML', () => {
    assert.deepEqual(
      definitions.map(({ type, category }) => [type, category]),
      [
        ['ion-config', 'config'],
        ['ion-events', 'ION'],
        ['ion-graphql', 'ION'],
        ['ion-lookup', 'ION'],
        ['ion-runs', 'ION'],
        ['ion-step', 'ION'],
      ],
    );
    for (const { type, category, color, icon, inputs, outputs } of definitions) {
      if (category === 'config') continue;
      assert.match(String(color), /^#[0-9A-F]{6}$/i, type);
      const ports = [type === 'ion-events' ? 0 : 1, type === 'ion-lookup' ? 2 : 1];
      assert.deepEqual([inputs, outputs], ports, type);
      assert.equal(icon, `${type}.svg`);
    }
    assert.equal(new Set(definitions.flatMap(({ color }) => color ?? [])).size, 1);
  });

  it('N01: has an icon for each node, white and 40 by 60', async () => {
    for (const { icon } of definitions) {
      if (!icon) continue;
      const svg = await readFile(join(installed, 'dist', 'icons', icon), 'utf8');
      assert.match(svg, /viewBox="0 0 40 60"/);
      for (const [, colour] of svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)) {
        assert.ok(['#fff', 'none'].includes(String(colour)), `${icon}: ${colour}`);
      }
    }
  });

  it('N02: shows every node in an example, which is a plain array', async () => {
    const files = await readdir(join(installed, 'examples'), { recursive: true });
    const used = new Set<string>();
    for (const file of files.filter((name) => name.endsWith('.json'))) {
      const flow = JSON.parse(await readFile(join(installed, 'examples', file), 'utf8'));
      assert.ok(Array.isArray(flow), file);
      for (const { type } of flow) used.add(type);
      assert.ok(used.has('comment'), `${file} explains nothing`);
    }
    for (const { type, category } of definitions) {
      if (category !== 'config') assert.ok(used.has(type), type);
    }
  });

  it('D01: has the three dependencies that it needs, and one for the outbox alone', () => {
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), [
      'graphql',
      'oauth4webapi',
      'undici',
    ]);
    assert.deepEqual(Object.keys(manifest.optionalDependencies), ['classic-level']);
  });

  it('D02: installs no other packages than these and their dependencies, and no install script', async () => {
    const modules = join(installed, '..', '..');
    const names = await readdir(modules);
    const packages = names.filter((name) => !name.startsWith('.') && !name.startsWith('@'));
    const own = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    assert.deepEqual(packages.sort(), [...own, ...OF_CLASSIC_LEVEL].sort());
    for (const script of ['preinstall', 'install', 'postinstall']) {
      assert.equal(manifest.scripts[script], undefined);
    }
  });

  it('D03: uses the latest releases of its dependencies', () => {
    const ranges = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const [name, range] of Object.entries(ranges)) {
      assert.ok(satisfies(String(LATEST[name]), range), name);
    }
  });
});

/** As the library does: literal arguments of `….registerType(…)` in the scripts of the HTML. */
function readDefinitions(html: string): Definition[] {
  const scripts = html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g);
  return [...scripts].flatMap(([, source]) => {
    const found: Definition[] = [];
    walk(parse(String(source), { ecmaVersion: 'latest' }), (node) => {
      const definition = readDefinition(node);
      if (definition) found.push(definition);
    });
    return found;
  });
}

type AnyNode = Node & Record<string, unknown>;

function walk(value: unknown, visit: (node: AnyNode) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (typeof value === 'object' && value !== null) {
    if ('type' in value) visit(value as AnyNode);
    for (const item of Object.values(value)) walk(item, visit);
  }
}

function readDefinition(node: AnyNode): Definition | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const callee = node.callee as AnyNode & { property?: { name: string } };
  if (callee.property?.name !== 'registerType') return undefined;
  const [type, definition] = node.arguments as AnyNode[];
  if (type?.type !== 'Literal' || definition?.type !== 'ObjectExpression') return undefined;
  const properties = (definition.properties as AnyNode[]).flatMap((property) => {
    const { key, value } = property as unknown as {
      key: { name: string };
      value: { type: string; value: unknown };
    };
    return value?.type === 'Literal' ? [[key.name, value.value]] : [];
  });
  return { type: type.value, ...Object.fromEntries(properties) } as Definition;
}
