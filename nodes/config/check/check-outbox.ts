// The folder of the outbox, and the space on its disk. Nothing is written.
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IonError, toIonError } from '../../client/errors.js';
import type { OutboxLimits } from '../../outbox/store/counters.js';
import { OUTBOX } from '../../outbox/store/outbox-folder.js';
import { loadLevel } from '../../storage/load-level.js';
import { outboxLimits } from '../client-settings.js';
import type { IonConfigNode } from '../config-node.js';
import { type CheckLine, failed, incomplete, notChecked, ok, reasonValues } from './check-line.js';
import type { DescribedUser } from './described-users.js';

const MEBIBYTE = 1024 * 1024;
/** The database needs room for its own work. */
const MIN_FREE_BYTES = 100 * MEBIBYTE;

/** No line if no node uses the outbox, and none was left. */
export async function checkOutbox(
  { outbox, values }: IonConfigNode,
  users: readonly DescribedUser[],
): Promise<CheckLine[]> {
  const isUsed = users.some(({ work }) => work?.usesOutbox);
  let folder: string;
  try {
    ({ folder } = outbox);
  } catch (thrown) {
    return isUsed ? unusable(thrown) : [];
  }
  if (!isUsed && !(await exists(folder))) return [];
  let limits: OutboxLimits;
  try {
    limits = outboxLimits(values);
    await loadLevel(OUTBOX);
    // Another process may use it, or it may be damaged.
    await outbox.openIfPresent();
  } catch (thrown) {
    return unusable(thrown);
  }
  const present = await existing(folder);
  const line = await folderLine(folder, present);
  return [line, await diskLine(present, limits.bytes).catch(diskUnknown)];
}

function unusable(thrown: unknown): CheckLine[] {
  const details = { values: reasonValues(toIonError(thrown)), advice: 'outbox.repair' };
  return [failed('outbox', 'outbox.unusable', details), ...notChecked(['disk'], 'outbox')];
}

async function folderLine(folder: string, present: string): Promise<CheckLine> {
  try {
    const found = await stat(present);
    if (!found.isDirectory()) throw new IonError('ION_CONFIG', `${present} is not a folder.`);
    await access(present, constants.W_OK | constants.X_OK);
    return ok('outbox', 'outbox.writable', { values: { folder } });
  } catch (thrown) {
    const values = { folder, ...reasonValues(toIonError(thrown, 'ION_CONFIG')) };
    return failed('outbox', 'outbox.notWritable', { values, advice: 'outbox.permit' });
  }
}

async function diskLine(present: string, limitBytes: number): Promise<CheckLine> {
  const { bavail, bsize } = await statfs(present);
  const freeBytes = bavail * bsize;
  const mebibytes = (bytes: number) => Math.floor(bytes / MEBIBYTE);
  const values = { free: mebibytes(freeBytes), limit: mebibytes(limitBytes) };
  if (freeBytes < MIN_FREE_BYTES)
    return failed('disk', 'disk.full', { values, advice: 'disk.free' });
  const advice = freeBytes < limitBytes ? 'disk.belowLimit' : undefined;
  return ok('disk', 'disk.space', { values, advice });
}

function diskUnknown(thrown: unknown): CheckLine {
  return incomplete('disk', thrown);
}

/** The folder, or the nearest one above it that exists. */
async function existing(folder: string): Promise<string> {
  let path = folder;
  while (!(await exists(path)) && dirname(path) !== path) path = dirname(path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
