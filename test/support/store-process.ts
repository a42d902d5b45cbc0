// A separate process that uses the store of an outbox:
// <folder> open   holds it until its input ends
// <folder> file   stores a file, rejects it and makes it pending again
// It prints one line of JSON: the result, or the code and the text of the failure.
import { readFile } from 'node:fs/promises';
import { toIonError } from '../../nodes/client/errors.js';
import { partitionOf } from '../../nodes/outbox/store/keys.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';

const [, , folder = '', work] = process.argv;
const limits = { entries: 1000, bytes: 10_000_000 };

async function* content() {
  yield Buffer.from('abc');
}

async function keepFile(store: OutboxStore): Promise<string> {
  const target = { step: 1 };
  const write = { action: 'file', target, filename: 'a.txt', onConflict: 'retry' } as const;
  const entry = { write, sender: 'node', context: {}, acceptedAt: 1, fileSize: 3 } as never;
  const kept = await store.add(entry, partitionOf('a'), { content: content() });
  await store.reject(kept, { code: 'ION_GRAPHQL', message: 'no' }, 2);
  const [rejected] = await store.firstRejected(1);
  if (rejected) await store.restore(rejected, entry, undefined, () => {});
  const [pending] = await store.firstUnresolved(1);
  return readFile(store.filePathOf(pending?.sequence ?? 0), 'utf8');
}

async function openNow(): Promise<OutboxStore> {
  const waiting = new AbortController();
  let held: unknown;
  const onHeld = (error: unknown) => {
    held = error;
    waiting.abort();
  };
  const wait = { signal: waiting.signal, onHeld };
  return OutboxStore.open(folder, limits, { wait }).catch((thrown) => {
    throw held ?? thrown;
  });
}

async function main(): Promise<unknown> {
  const store = await openNow();
  try {
    if (work === 'file') return { file: await keepFile(store) };
    console.log(JSON.stringify({ isOpen: true }));
    for await (const _ of process.stdin);
    return {};
  } finally {
    await store.close();
  }
}

void main()
  .catch((thrown) => {
    const { code, message } = toIonError(thrown);
    return { code, message };
  })
  .then((outcome) => console.log(JSON.stringify(outcome)))
  .finally(() => process.exit());
