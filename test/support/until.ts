import { setTimeout as sleep } from 'node:timers/promises';

const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 200;

/** Waits until the condition holds, if there is no event for it. Mocha's timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const asked = performance.now();
    if (await condition()) return;
    // Checking takes little of the time: it must not delay the event.
    const pause = (performance.now() - asked) * 9;
    await sleep(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pause)));
  }
}
