import type { NodeAPI, NodeDef } from 'node-red';

/** Properties that Node-RED adds for a node inside a subflow. */
type Running = NodeDef & { _alias?: string; _path?: string };

/** A node or a tab in the flow file. */
interface Listed {
  id: string;
  d?: boolean;
  disabled?: boolean;
}

/**
 * Checks whether a closing node was deleted or disabled. Node-RED passes that to the nodes of tabs, but
 * not to nodes inside a subflow if the subflow or its instance was deleted or disabled.
 * @param config the object that the constructor of the node gets
 * @returns a function that corrects the `removed` that the close handler gets
 */
export function removalCheck(RED: NodeAPI, config: NodeDef): (removed: boolean) => boolean {
  const { _alias, _path = '' } = config as Running;
  if (_alias === undefined) return Boolean;
  // The flow file does not list the nodes of a packaged subflow.
  const active = activeIds(RED, new Set(_path.split('/')));
  return (removed) => removed || activeIds(RED, active).size < active.size;
}

/** The ids that the flow file lists and that are not disabled. */
function activeIds(RED: NodeAPI, ids: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  RED.nodes.eachNode((listed) => {
    const { id, d, disabled } = listed as unknown as Listed;
    if (ids.has(id) && !d && !disabled) found.add(id);
  });
  return found;
}
