// The running instances of a subflow. Node-RED gives each node in an instance a different ID.

/** More would not fit into a dialog. */
const MAX_INSTANCES = 100;
const VARIABLE = /^\$\{([^}]+)\}$/;

/** A running instance of a subflow. */
export interface Instance {
  /** The ID that Node-RED gives to the running instance. */
  id: string;
  /** The names of the tab, of the outer instances and of the instance. */
  name: string;
  subflow: string;
  node: SubflowNode;
  /** The instance that contains this one. */
  outer: Instance | undefined;
}

/** Whether the parent of a node is a subflow. */
export function isInSubflow(z: unknown): z is string {
  return typeof z === 'string' && RED.nodes.subflow(z) !== undefined;
}

/** The instances of a subflow, including those in other subflows. */
export function instancesOf(subflow: string, within: readonly string[] = []): Instance[] {
  // In a hand-written flow file, a subflow can contain itself.
  if (within.includes(subflow)) return [];
  return RED.nodes
    .filterNodes({ type: `subflow:${subflow}` })
    .filter(({ d }) => !d)
    .flatMap((node): Instance[] => {
      const { id, z } = node;
      const own = RED.utils.getNodeLabel(node, id);
      if (!isInSubflow(z)) {
        const tab = RED.nodes.workspace(String(z));
        if (!tab || tab.disabled) return [];
        return [{ id, name: `${tab.label} / ${own}`, subflow, node, outer: undefined }];
      }
      return instancesOf(z, [...within, subflow]).map((outer) => {
        return { id: `${outer.id}-${id}`, name: `${outer.name} / ${own}`, subflow, node, outer };
      });
    })
    .slice(0, MAX_INSTANCES);
}

/** The ID of a subflow's node within an instance. */
export function idIn(instance: Instance, id: string): string {
  return `${instance.id}-${id}`;
}

/** The node in the editor for the ID of a running one, which begins with the IDs of its instances. */
export function nodeOfRunning(id: string): EditorNode | undefined {
  for (let rest = id; ; rest = rest.slice(rest.indexOf('-') + 1)) {
    const node = RED.nodes.node(rest);
    if (node) return node;
    if (!rest.includes('-')) return undefined;
  }
}

/** The name in `${NAME}`. */
export function variableIn(value: string): string | undefined {
  return VARIABLE.exec(value)?.[1];
}

/** The value of a subflow property, set by the instance, its subflow, or an outer instance. */
export function propertyOf(instance: Instance | undefined, name: string): string | undefined {
  if (!instance) return undefined;
  const { node, subflow, outer } = instance;
  const isMeant = (each: SubflowProperty) => each.name === name;
  const found = node.env?.find(isMeant) ?? RED.nodes.subflow(subflow)?.env?.find(isMeant);
  if (found === undefined) return propertyOf(outer, name);
  const variable = variableIn(String(found.value));
  return variable === undefined ? String(found.value) : propertyOf(outer, variable);
}
