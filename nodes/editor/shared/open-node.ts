// The values of a node for its validators: those in its open dialog, otherwise the stored ones.

let openNode: EditedNode | undefined;
let prefix = '';

/**
 * Remembers the node whose dialog is open; `undefined` when the dialog closes.
 * @param inputs the prefix of the IDs of the inputs
 */
export function setOpenNode(node: EditedNode | undefined, inputs = 'node-input'): void {
  openNode = node;
  prefix = inputs;
}

/** The input of a property in the open dialog of this node. */
export function openInput(node: EditedNode, property: string): JQuery | undefined {
  const input = openNode === node ? $(`#${prefix}-${property}`) : undefined;
  return input && input.length > 0 ? input : undefined;
}

/** A property as text, without blanks around it. */
export function currentValue(node: EditedNode, property: string): string {
  return String(openInput(node, property)?.val() ?? node[property] ?? '').trim();
}

/** Whether a check box is checked. */
export function isChecked(node: EditedNode, property: string): boolean {
  return openInput(node, property)?.is(':checked') ?? Boolean(node[property]);
}
