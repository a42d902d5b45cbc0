import assert from 'node:assert/strict';
import { Pauses } from '../../nodes/outbox/pauses.js';
import { until } from '../support/until.js';

describe('outbox: the pauses of partitions', () => {
  let elapsed: string[];
  let pauses: Pauses;
  const present = () => ['a', 'b', 'c'].filter((partition) => pauses.has(partition));
  beforeEach(() => {
    elapsed = [];
    pauses = new Pauses((partition) => elapsed.push(`${partition} ${pauses.has(partition)}`));
  });
  afterEach(() => pauses.close());

  it('end one after the other', async () => {
    pauses.begin('b', 30);
    pauses.begin('a', 1);
    assert.deepEqual(present(), ['a', 'b']);
    await until(() => elapsed.length === 1);
    assert.deepEqual(present(), ['b']);
    await until(() => elapsed.length === 2);
    assert.deepEqual(elapsed, ['a false', 'b false']);
  });

  it('end early without a report, and begin again with another length', async () => {
    pauses.begin('a', 1);
    pauses.end('a');
    pauses.begin('b', 1);
    pauses.begin('b', 1e6);
    pauses.begin('c', 20);
    assert.deepEqual(present(), ['b', 'c']);
    await until(() => elapsed.length === 1);
    assert.deepEqual(elapsed, ['c false']);
    assert.deepEqual(present(), ['b']);
  });

  it('report nothing after the outbox closed, when none begins', async () => {
    pauses.begin('a', 1);
    pauses.close();
    pauses.begin('b', 1);
    assert.equal(pauses.has('b'), false);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(elapsed, []);
  });
});
