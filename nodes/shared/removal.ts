import type { NodeAPI, NodeDef } from 'node-red';

/** What Node-RED adds to the properties of a running node. */
type Running = NodeDef & { _alias?: string; _path?: string };

/** Of a node or tab in a flow file. */
interface Listed {
  id: string;
  d?: boolean;
  disabled?: boolean;
}

/**
 * Tells whether a node that closes was deleted or disabled. Node-RED says so to the nodes of tabs,
 * but not to those inside a subflow whose instance, or whose original, goes.
 * @param config as the node's constructor gets it
 * @returns what makes the truth of the `removed` that the close handler gets
 */
export function removal(RED: NodeAPI, config: NodeDef): (removed: boolean) => boolean {
  const { _alias, _path = '' } = config as Running;
  if (_alias === undefined) return Boolean;
  // Nodes of a packaged subflow are in no flow file.
  const places = listedOf(RED, new Set(_path.split('/')));
  return (removed) => removed || listedOf(RED, places).size < places.size;
}

/** Those of the ids that the flows hold, and that are not disabled. */
function listedOf(RED: NodeAPI, ids: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  RED.nodes.eachNode((listed) => {
    const { id, d, disabled } = listed as unknown as Listed;
    if (ids.has(id) && !d && !disabled) found.add(id);
  });
  return found;
}
