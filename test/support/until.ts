import { setTimeout as sleep } from 'node:timers/promises';

const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 200;

/** Waits until the condition holds, where no event tells. Mocha's timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const asked = performance.now();
    if (await condition()) return;
    // Asking takes little of the time: it must not hold up what it waits for.
    const pause = (performance.now() - asked) * 9;
    await sleep(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pause)));
  }
}
