// The line below the page size that names the query's own `first`, because it has precedence.
import { type FieldNode, parse, type SelectionSetNode } from 'graphql';

const CHECK_AFTER_MS = 250;
/** Fragments that spread themselves have no end. */
const MAX_LEVELS = 10;

interface PagedQuery {
  /** Empty if the query comes from another source than the editor. */
  query: string;
  operationName: string;
  isPaged: boolean;
}

export interface OwnFirst {
  /** Shows or hides the line after a change, once the user pauses. */
  update(): void;
}

export function prepareOwnFirst(node: EditedNode, read: () => PagedQuery): OwnFirst {
  const line = $('#ion-graphql-own-first');
  let timer: number | undefined;
  const show = () => {
    // The dialog may have closed.
    if (!line[0]?.isConnected) return;
    const { query, operationName, isPaged } = read();
    const first = isPaged ? ownFirst(query, operationName) : undefined;
    const text = first === undefined ? '' : node._('ion-graphql.ownFirst', { first });
    if (line.text() === text) return;
    line.text(text);
    RED.tray.resize();
  };
  show();
  return {
    update() {
      window.clearTimeout(timer);
      timer = window.setTimeout(show, CHECK_AFTER_MS);
    },
  };
}

/** The number with which a query overrides the page size; `undefined` if it has none. */
function ownFirst(query: string, operationName: string): number | undefined {
  try {
    const [connection] = connectionsIn(query, operationName);
    const first = connection?.arguments?.find(({ name }) => name.value === 'first')?.value;
    return first?.kind === 'IntValue' && Number(first.value) > 0 ? Number(first.value) : undefined;
  } catch {
    // The query is being typed.
    return undefined;
  }
}

/** The fields of an operation that select `edges`, without those inside them. */
function connectionsIn(query: string, operationName: string): FieldNode[] {
  const { definitions } = parse(query);
  const fragments = new Map<string, SelectionSetNode>();
  for (const each of definitions) {
    if (each.kind === 'FragmentDefinition') fragments.set(each.name.value, each.selectionSet);
  }
  const fieldsOf = (set: SelectionSetNode, seen = new Set<string>()): FieldNode[] =>
    set.selections.flatMap((each) => {
      if (each.kind === 'Field') return each;
      if (each.kind === 'InlineFragment') return fieldsOf(each.selectionSet, seen);
      const fragment = fragments.get(each.name.value);
      if (!fragment || seen.has(each.name.value)) return [];
      return fieldsOf(fragment, seen.add(each.name.value));
    });
  const search = (set: SelectionSetNode, level = 1): FieldNode[] =>
    fieldsOf(set).flatMap((field) => {
      if (!field.selectionSet || level > MAX_LEVELS) return [];
      const isConnection = fieldsOf(field.selectionSet).some(({ name }) => name.value === 'edges');
      return isConnection ? field : search(field.selectionSet, level + 1);
    });
  return definitions.flatMap((each) => {
    const isWanted = each.kind === 'OperationDefinition' && each.operation === 'query';
    const isNamed = isWanted && (operationName === '' || each.name?.value === operationName);
    return isNamed ? search(each.selectionSet) : [];
  });
}
