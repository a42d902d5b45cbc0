import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type Node as AnyNode, parse } from 'acorn';
import { transform } from 'esbuild';
import { endWithParent } from '../../tools/child-processes.js';

const sources = join(__dirname, '../../nodes');

interface Found {
  file: string;
  pattern: string;
  flags: string;
}

/** All nodes of a syntax tree. */
function* nodesIn(value: unknown): Generator<AnyNode & Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as AnyNode).type === 'string') yield value as AnyNode & Record<string, unknown>;
  for (const inner of Object.values(value)) yield* nodesIn(inner);
}

async function regexesIn(file: string): Promise<Found[]> {
  const text = readFileSync(join(sources, file), 'utf8');
  const { code } = await transform(text, { loader: 'ts', target: 'es2022' });
  const found: Found[] = [];
  for (const node of nodesIn(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }))) {
    const { type, regex, callee } = node as typeof node & {
      regex?: { pattern: string; flags: string };
      callee?: { name?: string };
    };
    if (type === 'Literal' && regex) found.push({ file, ...regex });
    const isMade = type === 'NewExpression' || type === 'CallExpression';
    assert.ok(!isMade || callee?.name !== 'RegExp', `${file} makes a regular expression of a text`);
  }
  return found;
}

/** The regular expressions that take more than linear time for some text. */
async function slowOf<T extends Pick<Found, 'pattern' | 'flags'>>(regexes: T[]): Promise<T[]> {
  const child = spawn(process.execPath, [join(__dirname, '../support/check-regexes.cjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  endWithParent(child);
  child.stdin.end(JSON.stringify(regexes));
  const [statuses] = await Promise.all([json(child.stdout), once(child, 'exit')]);
  assert.ok(Array.isArray(statuses) && statuses.length === regexes.length);
  return regexes.filter((_regex, i) => statuses[i] !== 'safe');
}

describe('regular expressions', () => {
  let all: Found[];
  before(async () => {
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' });
    const own = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    all = (await Promise.all(own.map(regexesIn))).flat();
  });

  it('run at most in time linear in the text, for any text', async function () {
    this.timeout(300_000);
    assert.ok(all.length > 20);
    assert.deepEqual(await slowOf(all), []);
  });

  it('are known to the checker if they are slow', async () => {
    const slow = ['^0+(?=\\d+$)', '\\/+$'].map((pattern) => ({ pattern, flags: '' }));
    assert.deepEqual(await slowOf([...slow, { pattern: '^0', flags: '' }]), slow);
  });
});
