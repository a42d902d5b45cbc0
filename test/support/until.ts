import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 5;

/** Waits until the condition holds, where no event tells. Mocha's timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const asked = performance.now();
    if (await condition()) return;
    // Asking takes a tenth of the time at most: it must not hold up what it waits for.
    await sleep(Math.max(PAUSE_MS, (performance.now() - asked) * 9));
  }
}
