import assert from 'node:assert/strict';
import type { Fault, FaultEffect } from '../../sandbox/faults/fault.js';
import { exampleFlow, RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { useSandbox } from '../support/sandbox.js';

const FILE = '08-errors.json';
/** Retries of the nodes themselves, before a message reaches the Catch node. */
const RETRIES = 0;
const DELAY_MS = 20;

describe('example 08, errors', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  /** The events before this one belong to earlier tests. */
  let begin = 0;

  before(async () => {
    const flow = await exampleFlow(FILE);
    const again = flow.find(({ id }) => id === 'ion-example-8-again');
    const rules = JSON.stringify(again?.rules);
    assert.ok(rules.includes('10000'), 'the example waits 10 s at first');
    example = await RunningExample.start(FILE, {
      folder: folder.path,
      sandbox: ion.sandbox,
      changes: {
        config: { retries: RETRIES },
        again: { rules: JSON.parse(rules.replace('10000', String(DELAY_MS))) },
      },
    });
  });
  after(() => example?.stop());
  beforeEach(() => {
    begin = example.nodeRed.events.length;
  });

  const messages = (id: string) =>
    example.nodeRed.events
      .slice(begin)
      .filter(({ topic, data }) => topic === 'debug' && data.id === example.prefix + id)
      .map(({ data }) => String(data.msg));

  /** Presses a button, and waits for its outcome. */
  const outcome = async (button: string): Promise<{ delivered: string[]; told: string[] }> => {
    await example.inject(button);
    const delivered = () => [...messages('run'), ...messages('made')];
    await example.nodeRed.until(() => delivered().length + messages('notify').length > 0);
    return { delivered: delivered(), told: messages('notify') };
  };
  const fault = (effect: FaultEffect, more: Partial<Fault> = {}) =>
    ion.sandbox.control.fault({ target: 'api', ...effect, ...more } as Fault);
  const counters = () => ion.sandbox.control.counters();

  it('retries temporary errors, and delivers the message once', async () => {
    fault({ kind: 'status', status: 503 }, { times: 2 });
    const { delivered, told } = await outcome('inject');
    assert.deepEqual([delivered.length, told.length], [1, 0]);
    assert.match(String(delivered[0]), new RegExp(String(ion.sandbox.data.runs.get(1)?.title)));
    assert.equal(counters().api.total, 3);
  });

  it('waits as long as ION asks', async () => {
    fault({ kind: 'status', status: 429, headers: { 'retry-after': '1' } });
    const startedAt = performance.now();
    const { delivered } = await outcome('inject');
    const tookMs = performance.now() - startedAt;
    assert.equal(delivered.length, 1);
    assert.ok(tookMs >= 1000, `${tookMs} ms`);
  });

  it('reports permanent errors without another attempt', async () => {
    const { delivered, told } = await outcome('wrong');
    assert.equal(delivered.length, 0);
    assert.match(String(told), /^ION_GRAPHQL in "read a run": .*\$id/);
    assert.equal(counters().api.total, 1);
  });

  it('retries a mutation that cannot have run', async () => {
    fault({ kind: 'status', status: 429 });
    const { delivered, told } = await outcome('new');
    assert.deepEqual([delivered.length, told.length], [1, 0]);
    assert.equal(counters().executed.createRun, 1);
  });

  it('does not retry a mutation whose response was lost: somebody has to check', async () => {
    fault({ kind: 'reset' }, { execute: true });
    const { delivered, told } = await outcome('new');
    assert.equal(delivered.length, 0);
    assert.match(
      String(told),
      /^ION_NETWORK in "create a run": .*Check in ION before you send it again\.$/,
    );
    assert.deepEqual([counters().executed.createRun, counters().api.total], [1, 1]);
  });

  it('retries a query that may have run', async () => {
    fault({ kind: 'reset' }, { execute: true });
    const { delivered, told } = await outcome('inject');
    assert.deepEqual([delivered.length, told.length], [1, 0]);
  });

  it('stops after three more attempts, and reports that', async () => {
    fault({ kind: 'status', status: 502 }, { times: 9 });
    const { delivered, told } = await outcome('inject');
    assert.equal(delivered.length, 0);
    assert.match(String(told), /^ION_SERVER in "read a run": .* Repeated 3 times\.$/);
    assert.equal(counters().api.total, 4);
  });
});
