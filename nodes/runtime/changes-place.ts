import type { Node } from 'node-red';
import type { Place } from '../client/changes.js';

const KEY = 'changes';

interface StoredPlace extends Place {
  /** A place in one ION means nothing in another. */
  endpoint: string;
  /** Nor does a place in one table; missing where the node knows only one. */
  resource?: string | undefined;
}

/** How far a node delivered changes: in its context, so that it outlives a redeploy. */
export async function loadPlace(
  node: Node,
  endpoint: string,
  resource?: string,
): Promise<Place | undefined> {
  const stored = await new Promise<StoredPlace | undefined>((resolve, reject) => {
    node.context().get(KEY, (error: Error | null, value: unknown) => {
      if (error) reject(error);
      else resolve(value as StoredPlace | undefined);
    });
  });
  return stored?.endpoint === endpoint && stored.resource === resource ? stored : undefined;
}

export async function storePlace(
  node: Node,
  endpoint: string,
  place: Place,
  resource?: string,
): Promise<void> {
  const stored: StoredPlace = { ...place, endpoint, ...(resource !== undefined && { resource }) };
  await new Promise<void>((resolve, reject) => {
    node.context().set(KEY, stored, (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
