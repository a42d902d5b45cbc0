// The values of the watched fields that a node saw last, in its context.
import type { Node } from 'node-red';
import { FieldMemory } from '../client/lists/field-memory.js';
import { isPlainObject } from '../client/support/json.js';
import { readContext, writeContext } from '../shared/node-context.js';

const KEY = 'seen';

/** The memory is only valid for the same ION environment, table and fields. */
export interface MemoryScope {
  endpoint: string;
  resource: string;
  /** The watched fields, in alphabetical order. */
  fields: readonly string[];
}

/** The scope; the order in which the fields were chosen does not matter. */
export function memoryScope(
  endpoint: string,
  resource: string,
  fields: readonly string[],
): MemoryScope {
  return { endpoint, resource, fields: [...new Set(fields)].sort() };
}

/** The stored memory; an empty one if nothing is stored for this scope. */
export async function loadMemory(node: Node, scope: MemoryScope): Promise<FieldMemory> {
  const stored = await readContext(node, KEY);
  if (!isPlainObject(stored) || !Array.isArray(stored.objects)) {
    return new FieldMemory(scope.fields);
  }
  const { endpoint, resource, fields, objects } = stored;
  const isSame =
    endpoint === scope.endpoint &&
    resource === scope.resource &&
    Array.isArray(fields) &&
    fields.join() === scope.fields.join();
  return new FieldMemory(scope.fields, isSame ? objects : []);
}

/** The value to store in the node's context, together with a checkpoint if there is one. */
export function memoryToStore(scope: MemoryScope, memory: FieldMemory): Record<string, unknown> {
  return { [KEY]: { ...scope, objects: memory.texts() } };
}

/** Removes a stored memory: after a time without it, its values would be wrong. */
export async function clearMemory(node: Node): Promise<void> {
  if ((await readContext(node, KEY)) !== undefined) await writeContext(node, { [KEY]: undefined });
}
