// The preview of the query, and the button that opens it as an ion-graphql node.
import { type Choice, type RunsQuery, runsQuery } from './runs-query.js';

/** Properties that an `ion-graphql` node has as well. */
const SHARED = ['pageSize', 'limit', 'output'];

/** Prepares the preview and the button. `update` shows the query of the dialog's present values. */
export function preview(node: EditedNode, read: () => Choice): { update(): void } {
  const open = $('#ion-runs-open-as').on('click', () => {
    openAsGraphql(node, runsQuery(read()));
    $('#node-dialog-ok').trigger('click');
  });
  return {
    update() {
      const query = attempt(() => runsQuery(read()));
      const isError = query instanceof Error;
      $('#ion-runs-preview-query').text(isError ? query.message : query.query);
      $('#ion-runs-preview-variables').text(isError ? '' : query.variables);
      $('.ion-runs-preview-variables').toggle(!isError);
      open.prop('disabled', isError || RED.workspaces.isLocked());
    },
  };
}

function openAsGraphql(node: EditedNode, { query, variables, variablesType }: RunsQuery): void {
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
    // One message if this node sends one, otherwise one message per page.
    pages: value('mode') === 'array' ? 'all' : 'stream',
    wires: [[]],
  };
  // `touchImport` places the node immediately, instead of attaching it to the mouse pointer.
  RED.view.importNodes([graphql], { touchImport: true, generateIds: false, notify: false });
}

function attempt<Result>(work: () => Result): Result | Error {
  try {
    return work();
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}
