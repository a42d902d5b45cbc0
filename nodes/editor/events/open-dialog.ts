// The values of a node: as they stand in its open dialog, else as they are stored.

let edited: EditedNode | undefined;

export function setOpen(node: EditedNode | undefined): void {
  edited = node;
}

/** The input in the open dialog of this node. */
function openInput(node: EditedNode, property: string): JQuery | undefined {
  const input = edited === node ? $(`#node-input-${property}`) : undefined;
  return input && input.length > 0 ? input : undefined;
}

export function current(node: EditedNode, property: string): string {
  return String(openInput(node, property)?.val() ?? node[property] ?? '').trim();
}

export function isOn(node: EditedNode, property: string): boolean {
  return openInput(node, property)?.is(':checked') ?? Boolean(node[property]);
}

/** As far as the editor knows: it is told of a stored secret only when a dialog opens. */
export function lacksSecret(node: EditedNode): boolean {
  const input = openInput(node, 'secret');
  if (input) return String(input.val() ?? '') === '';
  const credentials = node.credentials as { has_secret?: boolean } | undefined;
  return credentials?.has_secret === false;
}
