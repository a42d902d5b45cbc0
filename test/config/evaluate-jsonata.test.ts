import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import { evaluateJsonata } from '../../nodes/config/evaluate-jsonata.js';

const RED = { util } as unknown as NodeAPI;
/** A node whose context store never responds. */
const node = { context: () => ({ flow: { get() {} } }) } as unknown as Node;
const evaluate = (text: string, input: object = {}) => evaluateJsonata(RED, node, text, input, 200);

describe('an expression of ion-graphql', () => {
  it('leaves the event loop time for other work, however long it takes', async () => {
    let turns = 0;
    let isRunning = true;
    const others = (async () => {
      for (; isRunning; turns++) await nextTurn();
    })();
    const endless = '($again := function($count) { $again($count + 1) }; $again(0))';
    await assert.rejects(evaluate(endless), /not ended within 0.2 s/);
    isRunning = false;
    await others;
    assert.ok(turns > 3, `${turns} turns of the event loop`);
  });

  const failing: [string, string, RegExp][] = [
    [
      'waits for a context store that never responds',
      '$flowContext("x")',
      /not ended within 0.2 s/,
    ],
    ['gives a function', '$exists', /gives a function/],
    ['gives a function of its own', 'function($each) { $each }', /gives a function/],
    ['gives a regular expression', '/a/', /gives a function/],
  ];
  for (const [what, text, message] of failing) {
    it(`fails if it ${what}`, async () => {
      await assert.rejects(evaluate(text), message);
    });
  }

  it('fails if it calls itself without end, before that takes all memory', async () => {
    const endless = '($deeper := function($count) { 1 + $deeper($count + 1) }; $deeper(0))';
    await assert.rejects(evaluateJsonata(RED, node, endless, {}), /calls itself too often/);
  });
});
