import { LinkedList } from './linked-list.js';

/** Who wants to know of each signal. */
const waiting = new WeakMap<AbortSignal, LinkedList<() => void>>();

/**
 * Calls back when the signal aborts. One listener of the signal serves all: with hundreds of its
 * own, it would look through all of them whenever one comes or goes.
 * @param signal not aborted yet: else nobody is called any more
 * @returns what ends the waiting
 */
export function addAbortListener(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? listenTo(signal);
  return callbacks.add(callback).remove;
}

/** Lets one of those who wait for work leave when a signal aborts, while the work goes on. */
export function abandonable<Value>(
  work: Promise<Value>,
  signal: AbortSignal,
  reason: () => Error,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(reason());
    const stopListening = signal.aborted ? leave : addAbortListener(signal, leave);
    if (signal.aborted) leave();
    work.then(resolve, reject).finally(stopListening);
  });
}

function listenTo(signal: AbortSignal): LinkedList<() => void> {
  const callbacks = new LinkedList<() => void>();
  waiting.set(signal, callbacks);
  const tell = () => {
    for (let next = callbacks.shift(); next; next = callbacks.shift()) next();
  };
  signal.addEventListener('abort', tell, { once: true });
  return callbacks;
}
