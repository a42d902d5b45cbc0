/** The labels of a node's dialog, by which the editor names a property that is not valid. */
export function labels(node: string): (property: string) => string {
  return (property) => RED._(`@ion-nodes/node-red-ion/${node}:${node}.label.${property}`);
}
