// The context of a node, where values survive a redeploy, and a restart if the store is on disk.
import type { Node } from 'node-red';

/**
 * Values that nodes stored, by node ID, for each Node-RED runtime, which is known by its global context.
 * Without `contextStorage` in its settings, Node-RED empties the context of a node whenever the node is
 * redeployed.
 */
const runtimes = new WeakMap<object, Map<string, Map<string, unknown>>>();
/** The nodes that use their context, with the end of their preparation. */
const prepared = new WeakMap<Node, Promise<void>>();
const watched = new WeakSet<Node>();
const removed = new WeakSet<Node>();

export async function readContext(node: Node, key: string): Promise<unknown> {
  await prepare(node);
  const value = await get(node, key);
  // The user may have deleted it in the sidebar.
  if (value === undefined) storedBy(node).get(node.id)?.delete(key);
  return value;
}

/** Stores several values at once, so that no crash can store only some of them. */
export async function writeContext(
  node: Node,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  await prepare(node);
  await set(node, values);
  if (removed.has(node)) return;
  const stored = storedBy(node);
  const kept = stored.get(node.id) ?? new Map<string, unknown>();
  for (const [key, value] of Object.entries(values)) kept.set(key, value);
  stored.set(node.id, kept);
}

function storedBy(node: Node): Map<string, Map<string, unknown>> {
  const runtime = node.context().global;
  const stored = runtimes.get(runtime) ?? new Map<string, Map<string, unknown>>();
  runtimes.set(runtime, stored);
  return stored;
}

function prepare(node: Node): Promise<void> {
  const running = prepared.get(node);
  if (running) return running;
  forgetAfterRemoval(node);
  const restoring = restore(node);
  prepared.set(node, restoring);
  // The next use tries again.
  restoring.catch(() => prepared.delete(node));
  return restoring;
}

function forgetAfterRemoval(node: Node): void {
  if (watched.has(node)) return;
  watched.add(node);
  node.on('close', (isRemoved: boolean, done: () => void) => {
    if (isRemoved) {
      removed.add(node);
      storedBy(node).delete(node.id);
    }
    done();
  });
}

/** Puts back what the same node stored before it was redeployed. */
async function restore(node: Node): Promise<void> {
  const kept = [...(storedBy(node).get(node.id) ?? [])];
  const present = await Promise.all(kept.map(([key]) => get(node, key)));
  const missing = kept.filter((_entry, index) => present[index] === undefined);
  if (missing.length > 0) await set(node, Object.fromEntries(missing));
}

function get(node: Node, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    node.context().get(key, (error: Error | null, value: unknown) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

function set(node: Node, values: Readonly<Record<string, unknown>>): Promise<void> {
  return new Promise((resolve, reject) => {
    node.context().set(Object.keys(values), Object.values(values), (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
