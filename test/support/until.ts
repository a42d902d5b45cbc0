import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds, where no event tells. Mocha's timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}
