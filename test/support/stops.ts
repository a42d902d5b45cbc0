import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest time, in ms of CPU, for which some work kept the event loop. */
export async function countStops(work: () => Promise<void>): Promise<number> {
  let isOver = false;
  const done = work().finally(() => {
    isOver = true;
  });
  let longest = 0;
  for (let before = process.cpuUsage(); ; ) {
    await nextTurn();
    const { user } = process.cpuUsage(before);
    longest = Math.max(longest, user / 1000);
    before = process.cpuUsage();
    if (isOver) break;
  }
  await done;
  return longest;
}
