// The context of a node, where values survive a redeploy, and a restart if the store is on disk.
import type { Node } from 'node-red';

export function readContext(node: Node, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    node.context().get(key, (error: Error | null, value: unknown) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

/** Stores several values at once, so that no crash can store only some of them. */
export async function writeContext(
  node: Node,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    node.context().set(Object.keys(values), Object.values(values), (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
