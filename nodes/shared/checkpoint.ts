import type { Node } from 'node-red';
import type { Checkpoint } from '../client/lists/change-feed.js';
import { readContext, writeContext } from './node-context.js';

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
  const stored = (await readContext(node, KEY)) as StoredCheckpoint | undefined;
  return stored?.endpoint === endpoint && stored.resource === resource ? stored : undefined;
}

/** @param others values of the node's context that must not be stored without the checkpoint */
export async function saveCheckpoint(
  node: Node,
  endpoint: string,
  checkpoint: Checkpoint,
  resource?: string,
  others: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const stored: StoredCheckpoint = {
    ...checkpoint,
    endpoint,
    ...(resource !== undefined && { resource }),
  };
  await writeContext(node, { [KEY]: stored, ...others });
}
