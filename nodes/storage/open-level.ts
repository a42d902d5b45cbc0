import { setTimeout as sleep } from 'node:timers/promises';
import type { ClassicLevel } from 'classic-level';
import { closedError, type IonError } from '../client/errors.js';
import { loadLevel } from './load-level.js';
import type { Place } from './owner.js';
import { isHeld, levelCode, storeError } from './store-error.js';

export type Level = ClassicLevel<string, Buffer>;

export interface LockWait {
  /** Ends the waiting. */
  signal: AbortSignal;
  /** Called once, if another process has it open. */
  onHeld?(error: IonError): void;
  /**
   * Limit for the waiting, in ms.
   * @default without end
   */
  maxMs?: number;
}

export const ENCODINGS = { keyEncoding: 'utf8', valueEncoding: 'buffer' } as const;

/** The last process that had it open may be about to close it. */
const MAX_WAIT_MS = 5000;
const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 1000;

/**
 * Databases that this process has open. LevelDB must not be asked to open one of them again: the
 * failure would release the lock.
 */
const open = new Set<string>();

/**
 * Opens a database, or makes it, and repairs it if it is damaged.
 * @param place named in errors
 * @param isDamaged whether to repair it first
 * @param wait how to wait while another process has it open; by default for 5 s
 * @throws IonError `ION_CLOSED` when the signal aborts first, else see `storeError`
 */
export async function openLevel(
  place: Place,
  location: string,
  isDamaged = false,
  wait?: LockWait,
): Promise<{ level: Level; isRepaired: boolean }> {
  const { ClassicLevel } = await loadLevel(place.owner);
  const begunAt = Date.now();
  const maxWaitMs = wait ? (wait.maxMs ?? Number.POSITIVE_INFINITY) : MAX_WAIT_MS;
  let isRepaired = false;
  let mustRepair = isDamaged;
  let wasHeld = false;
  for (let pause = FIRST_POLL_MS; ; ) {
    if (wait?.signal.aborted) throw closedError();
    try {
      if (open.has(location)) throw lockedByThisProcess(location);
      if (mustRepair) {
        isRepaired = true;
        mustRepair = false;
        await ClassicLevel.repair(location);
      }
      const level = await openOnce(new ClassicLevel<string, Buffer>(location, ENCODINGS), location);
      return { level, isRepaired };
    } catch (thrown) {
      if (isHeld(thrown) && Date.now() - begunAt < maxWaitMs) {
        if (!wasHeld) wait?.onHeld?.(storeError(place, thrown));
        wasHeld = true;
        await sleep(pause, undefined, { signal: wait?.signal }).catch(() => {});
        if (Date.now() - begunAt >= MAX_WAIT_MS) pause = MAX_POLL_MS;
      } else if (levelCode(thrown) === 'LEVEL_CORRUPTION' && !isRepaired) {
        mustRepair = true;
      } else {
        throw storeError(place, thrown);
      }
    }
  }
}

async function openOnce(level: Level, location: string): Promise<Level> {
  open.add(location);
  level.once('closed', () => open.delete(location));
  try {
    await level.open();
    return level;
  } catch (thrown) {
    open.delete(location);
    throw thrown;
  }
}

function lockedByThisProcess(location: string): Error {
  const text = `IO error: lock ${location}: already held by process`;
  return Object.assign(new Error(text), { code: 'LEVEL_LOCKED' });
}
