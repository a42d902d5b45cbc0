import type { Node } from 'node-red';
import type { Checkpoint } from '../client/lists/change-feed.js';

const KEY = 'changes';

interface StoredCheckpoint extends Checkpoint {
  /** A checkpoint is only valid for the same ION environment. */
  endpoint: string;
  /** A checkpoint is only valid for the same table; missing if the node reads only one. */
  resource?: string | undefined;
}

/** Reads the checkpoint of a node from its context, where it survives a redeploy. */
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
  checkpoint: Checkpoint,
  resource?: string,
): Promise<void> {
  const stored: StoredCheckpoint = {
    ...checkpoint,
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
