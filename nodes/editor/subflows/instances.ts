// The instances of a subflow as Node-RED runs them: it gives each node in them an id of its own.

/** More would fill any dialog. */
const MAX_INSTANCES = 100;
const VARIABLE = /^\$\{([^}]+)\}$/;

/** One instance that runs, with the instances that it lies in, the outermost first. */
export interface Instance {
  /** While it runs. */
  id: string;
  /** Where it is and how it is called. */
  name: string;
  subflow: string;
  node: SubflowNode;
  outer: Instance | undefined;
}

export function isInSubflow(z: unknown): z is string {
  return typeof z === 'string' && RED.nodes.subflow(z) !== undefined;
}

/** The instances of a subflow, also those within other subflows. */
export function instancesOf(subflow: string, within: readonly string[] = []): Instance[] {
  // A flow file made by hand can put a subflow into itself.
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

/** The id that a node of a subflow has within an instance of it. */
export function idIn(instance: Instance, id: string): string {
  return `${instance.id}-${id}`;
}

/** The name in `${NAME}`. */
export function variableIn(value: string): string | undefined {
  return VARIABLE.exec(value)?.[1];
}

/** The value of a subflow property, as far as an instance or a subflow around it sets it. */
export function propertyOf(instance: Instance | undefined, name: string): string | undefined {
  if (!instance) return undefined;
  const { node, subflow, outer } = instance;
  const isMeant = (each: SubflowProperty) => each.name === name;
  const found = node.env?.find(isMeant) ?? RED.nodes.subflow(subflow)?.env?.find(isMeant);
  if (found === undefined) return propertyOf(outer, name);
  const variable = variableIn(String(found.value));
  return variable === undefined ? String(found.value) : propertyOf(outer, variable);
}
