import assert from 'node:assert/strict';
import type { Node } from 'node-red';
import { WebhookMemory } from '../../nodes/events/webhook-memory.js';

describe('the memory of a webhook', () => {
  it('handles events of the same object one after the other, also after a failure', async () => {
    const memory = new WebhookMemory({} as Node);
    const done: string[] = [];
    let end = () => {};
    const slow = new Promise<void>((resolve) => {
      end = resolve;
    });
    const first = memory.inOrder('1', async () => {
      await slow;
      done.push('first');
      throw new Error('Not read.');
    });
    const second = memory.inOrder('1', async () => void done.push('second'));
    await memory.inOrder('2', async () => void done.push('other object'));
    assert.deepEqual(done, ['other object']);
    end();
    await assert.rejects(first, /Not read/);
    await second;
    assert.deepEqual(done, ['other object', 'first', 'second']);
  });
});
