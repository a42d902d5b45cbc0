import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { Outage } from '../../nodes/lookup/outage.js';

describe('look-ups: the probes of an outage', () => {
  let probed: string[];
  let said: string[];
  let outage: Outage<string>;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    probed = [];
    said = [];
    outage = new Outage({
      probe: async (query) => {
        probed.push(query);
      },
      onBegin: () => said.push('begin'),
      onEnd: () => said.push('end'),
    });
  });
  afterEach(() => {
    outage.close();
    mock.timers.reset();
  });

  const pass = async (seconds: number) => {
    mock.timers.tick(seconds * 1000);
    await tick();
  };

  it('begin at once, and are repeated after 2, 4, 8 and then 10 seconds', async () => {
    outage.begin('a');
    await tick();
    const pauses: number[] = [];
    for (let second = 1, since = 0; pauses.length < 5; second++) {
      const before = probed.length;
      await pass(1);
      if (probed.length === before) continue;
      pauses.push(second - since);
      since = second;
    }
    assert.deepEqual(pauses, [2, 4, 8, 10, 10]);
    assert.deepEqual(said, ['begin']);
  });

  it('ask for the query that was scanned last, also at once for each scan', async () => {
    outage.begin('a');
    await tick();
    outage.scanned('b');
    await tick();
    outage.scanned('c');
    await tick();
    await pass(2);
    assert.deepEqual(probed, ['a', 'b', 'c', 'c']);
  });

  it('end with the outage, and begin again with the next one', async () => {
    outage.begin('a');
    await tick();
    await pass(2);
    outage.end();
    outage.end();
    await pass(60);
    outage.scanned('b');
    await pass(60);
    assert.deepEqual(probed, ['a', 'a']);
    assert.equal(outage.isUnderWay, false);
    outage.begin('c');
    await tick();
    await pass(2);
    assert.deepEqual(probed, ['a', 'a', 'c', 'c']);
    assert.deepEqual(said, ['begin', 'end', 'begin']);
  });

  it('end if there is no response, each after twice the time, until the outage ends', async () => {
    const patience: number[] = [];
    const hanging = new Outage<string>({
      probe: (_query, signal) => {
        const since = Date.now();
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            patience.push((Date.now() - since) / 1000);
            resolve();
          });
        });
      },
      onBegin: () => {},
      onEnd: () => {},
    });
    for (let outages = 0; outages < 2; outages++) {
      hanging.begin('a');
      while (patience.length < 3) {
        await pass(1);
        // Nobody waits for the next pause.
        hanging.scanned('a');
      }
      assert.deepEqual(patience.splice(0), [5, 10, 20]);
      hanging.end();
      // The try under way belongs to the last outage.
      await pass(40);
      patience.length = 0;
    }
    hanging.close();
  });

  it('end when the look-ups close', async () => {
    outage.begin('a');
    await tick();
    outage.close();
    await pass(60);
    outage.scanned('b');
    outage.begin('c');
    await tick();
    assert.deepEqual(probed, ['a']);
  });
});
