import type { Node } from 'node-red';
import type { Checkpoint } from '../client/lists/change-feed.js';

const KEY = 'changes';

interface StoredCheckpoint extends Checkpoint {
  /** A place in one ION means nothing in another. */
  endpoint: string;
  /** Nor does a place in one table; missing where the node knows only one. */
  resource?: string | undefined;
}

/** How far a node delivered changes: in its context, so that it outlives a redeploy. */
export async function loadCheckpoint(
  node: Node,
  endpoint: string,
  resource?: string,
): Promise<Checkpoint | undefined> {
  const stored = await new Promise<StoredCheckpoint | undefined>((resolve, reject) => {
    node.context().get(KEY, (error: Error | null, value: unknown) => {
      if (error) reject(error);
      else resolve(value as StoredCheckpoint | undefined);
    });
  });
  return stored?.endpoint === endpoint && stored.resource === resource ? stored : undefined;
}

export async function saveCheckpoint(
  node: Node,
  endpoint: string,
  place: Checkpoint,
  resource?: string,
): Promise<void> {
  const stored: StoredCheckpoint = {
    ...place,
    endpoint,
    ...(resource !== undefined && { resource }),
  };
  await new Promise<void>((resolve, reject) => {
    node.context().set(KEY, stored, (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
