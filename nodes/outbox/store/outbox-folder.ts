import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { configFolder } from '../../storage/folder.js';
import type { Owner } from '../../storage/owner.js';

/** The owner that errors of the disk name. */
export const OUTBOX: Owner = { name: 'outbox', advice: 'Send it again later.' };

/**
 * The folder in which version 1.0.0 stored the writes, if it is another one. That version gave the
 * same name to several IDs and endpoints, so nobody can say whose writes lie there.
 */
export async function oldFolder(
  within: string,
  id: string,
  endpoint: string,
): Promise<string | undefined> {
  const old = join(within, String(id), endpoint.replace(/[^\w.-]+/g, '_'));
  if (old === configFolder(within, id, endpoint)) return undefined;
  const found = await lstat(old).catch(() => undefined);
  return found?.isDirectory() ? old : undefined;
}
