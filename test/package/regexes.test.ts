import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node as AnyNode, parse } from 'acorn';
import { transform } from 'esbuild';

// The checker in JavaScript, so that it needs no other process.
process.env.RECHECK_BACKEND = 'pure';
const { checkSync } = require('recheck') as typeof import('recheck');

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

/** Lets the checker count steps only: by the clock an expression seems slow on a busy machine. */
const BY_STEPS = { timeout: null, incubationTimeout: null, attackTimeout: null };

describe('regular expressions', () => {
  let all: Found[];
  before(async () => {
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' });
    const own = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    all = (await Promise.all(own.map(regexesIn))).flat();
  });

  it('run at most in time linear in the text, for any text', function () {
    this.timeout(300_000);
    assert.ok(all.length > 20);
    const slow = all.filter(
      ({ pattern, flags }) => checkSync(pattern, flags, BY_STEPS).status !== 'safe',
    );
    assert.deepEqual(slow, []);
  });

  it('are known to the checker if they are slow', () => {
    assert.equal(checkSync('^0+(?=\\d+$)', '', BY_STEPS).status, 'vulnerable');
    assert.equal(checkSync('\\/+$', '', BY_STEPS).status, 'vulnerable');
  });
});
