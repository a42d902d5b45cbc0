import assert from 'node:assert/strict';
import { IonError, type IonErrorCode } from '../../nodes/client/errors.js';
import {
  isOutage,
  Listeners,
  type OutboxListener,
  type OutboxState,
} from '../../nodes/outbox/listeners.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';

const RESULT = { payload: 5, name: 'X', attempts: 1, traceId: undefined };
const ERROR = new IonError('ION_GRAPHQL', 'no');
const stateWith = (code: IonErrorCode | undefined) =>
  ({ reason: code && new IonError(code, 'no') }) as OutboxState;

describe('outbox: the nodes that get its reports', () => {
  let heard: [node: string, what: string, ...about: unknown[]][];
  let broken: Set<string>;
  beforeEach(() => {
    heard = [];
    broken = new Set();
  });
  const listener = (node: string): OutboxListener => {
    const hear = (what: string, ...about: unknown[]) => {
      heard.push([node, what, ...about]);
      if (broken.has(node)) throw new Error(`no wire at ${what}`);
    };
    return {
      delivered: ({ context }, result) => hear('delivered', context, result),
      rejected: ({ context }, error) => hear('rejected', context, error),
      changed: (state) => hear('changed', state),
      failed: (thrown) => heard.push([node, 'failed', (thrown as Error).message]),
    };
  };
  const listeners = new Listeners(new Map(['a', 'b'].map((node) => [node, listener(node)])));
  const entryOf = (sender: string): Entry => ({ sender, context: 'msg', acceptedAt: 0 });

  it('hear of their own entries, and nobody of those of a removed node', () => {
    listeners.delivered(entryOf('a'), RESULT);
    listeners.rejected(entryOf('b'), ERROR);
    listeners.delivered(entryOf('removed'), RESULT);
    listeners.rejected(entryOf('removed'), ERROR);
    assert.deepEqual(heard, [
      ['a', 'delivered', 'msg', RESULT],
      ['b', 'rejected', 'msg', ERROR],
    ]);
  });

  it('all hear of a change, even if one of them fails, which is reported to it', () => {
    broken.add('a');
    const state = stateWith(undefined);
    listeners.changed(state);
    assert.deepEqual(heard, [
      ['a', 'changed', state],
      ['a', 'failed', 'no wire at changed'],
      ['b', 'changed', state],
    ]);
  });

  it('show an outage only if nothing answers', () => {
    const codes = ['ION_NETWORK', 'ION_TIMEOUT', 'ION_AUTH', 'ION_SERVER', undefined] as const;
    assert.deepEqual(
      codes.map((code) => isOutage(stateWith(code))),
      [true, true, false, false, false],
    );
  });
});
