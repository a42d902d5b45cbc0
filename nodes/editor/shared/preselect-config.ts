/**
 * Selects the ION configuration of a new node if only one is usable. For `onadd`: the editor calls it
 * for a new node before it adds that node, and for an imported or pasted one afterwards.
 */
export function preselectConfig(this: EditedNode): void {
  const isImported = Boolean(RED.nodes.node(this.id));
  if (isImported || this.config) return;
  const usable: string[] = [];
  RED.nodes.eachConfig(({ id, type, z, d }) => {
    if (type === 'ion-config' && !d && (!z || z === this.z)) usable.push(id);
  });
  if (usable.length === 1) this.config = usable[0];
}
