import { LinkedList } from './linked-list.js';

const listeners = new WeakMap<AbortSignal, LinkedList<() => void>>();

/**
 * The functions that are called when a signal aborts. Each signal has a single event listener for all of
 * them, because EventTarget searches its listeners one by one.
 * @param signal must not be aborted yet, because then nobody is called any more
 */
export function abortListenersOf(signal: AbortSignal): LinkedList<() => void> {
  return listeners.get(signal) ?? listenTo(signal);
}

/**
 * Like `addAbortListener` of `node:events`, but removed in constant time.
 * @param signal must not be aborted yet, because then nobody is called any more
 * @returns removes the callback
 */
export function addAbortListener(signal: AbortSignal, callback: () => void): () => void {
  const entry = abortListenersOf(signal).add(callback);
  return () => entry.remove();
}

/** Rejects when the signal aborts, although the work continues for others who wait for it. */
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

/** Resolves after a delay in ms, or rejects when one of the signals aborts. */
export async function abortableDelay(
  delayMs: number,
  signals: readonly AbortSignal[],
  reason: () => Error,
): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) throw reason();
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      for (const stopListening of listening) stopListening();
      settle();
    };
    const timer = setTimeout(end(resolve), delayMs);
    const stop = end(() => reject(reason()));
    const listening = signals.map((signal) => addAbortListener(signal, stop));
  });
}

function listenTo(signal: AbortSignal): LinkedList<() => void> {
  const callbacks = new LinkedList<() => void>();
  listeners.set(signal, callbacks);
  const callAll = () => {
    for (let next = callbacks.shift(); next; next = callbacks.shift()) next();
  };
  signal.addEventListener('abort', callAll, { once: true });
  return callbacks;
}
