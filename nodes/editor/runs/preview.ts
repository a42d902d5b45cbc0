// The preview of the query, and the way from it to a node whose query can be edited.
import { type Choice, type RunsText, runsText } from './query.js';

/** The dialog's values that an `ion-graphql` node has as well. */
const SHARED = ['pageSize', 'limit', 'output'];

export function preview(node: EditedNode, read: () => Choice): { update(): void } {
  const open = $('#ion-runs-open-as').on('click', () => {
    openAsGraphql(node, runsText(read()));
    $('#node-dialog-ok').trigger('click');
  });
  return {
    update() {
      const text = attempt(() => runsText(read()));
      $('#ion-runs-preview-query').text(text instanceof Error ? text.message : text.query);
      $('#ion-runs-preview-variables').text(text instanceof Error ? '' : text.variables);
      $('.ion-runs-preview-variables').toggle(!(text instanceof Error));
      open.prop('disabled', text instanceof Error || RED.workspaces.isLocked());
    },
  };
}

function openAsGraphql(node: EditedNode, { query, variables, variablesType }: RunsText): void {
  const value = (property: string) => String($(`#node-input-${property}`).val() ?? '');
  const graphql = {
    ...Object.fromEntries(SHARED.map((property) => [property, value(property)])),
    id: RED.nodes.id(),
    type: 'ion-graphql',
    z: RED.workspaces.active(),
    x: Number(node.x),
    y: Number(node.y) + 60,
    name: value('name'),
    config: value('config'),
    query: `${query}\n`,
    queryType: 'graphql',
    variables,
    variablesType,
    operationName: '',
    // As many messages as this node sends, or at least one per page.
    pages: value('mode') === 'array' ? 'all' : 'stream',
    wires: [[]],
  };
  // At its place at once, instead of at the pointer: also without a mouse.
  RED.view.importNodes([graphql], { touchImport: true, generateIds: false, notify: false });
}

function attempt<Result>(work: () => Result): Result | Error {
  try {
    return work();
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}
