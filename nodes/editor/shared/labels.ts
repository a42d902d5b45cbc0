/** The labels of a node's dialog. The editor uses them to name an invalid property. */
export function labels(node: string): (property: string) => string {
  return (property) => RED._(`@ion-nodes/node-red-ion/${node}:${node}.label.${property}`);
}
