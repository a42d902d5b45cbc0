// The list of the schema's queries and mutations: searched, and used with the keyboard, as a list box
// whose active option is named to screen readers while the focus stays in the search.
import type { GraphQLSchema } from 'graphql';
import { shortened } from '../graphql/foreign-text.js';
import { insertValues } from '../shared/insert-values.js';
import type { ExpandedTexts } from './expanded-texts.js';
import {
  type OperationKind,
  operationsOf,
  operationsWith,
  type SchemaOperation,
} from './schema-operations.js';

const ID = 'ion-graphql-operations';
const ACTIVE = 'ion-graphql-active';
/** Rows that Page Up and Page Down move by. */
const PAGE = 10;

export interface OperationList {
  readonly element: JQuery;
  /** Offers the operations of a schema. */
  offer(schema: GraphQLSchema): void;
  /** Says why there is no schema. */
  explain(reason: string): void;
}

interface Options {
  texts: ExpandedTexts;
  kinds: readonly OperationKind[];
  choose(operation: SchemaOperation): void;
}

export function operationList({ texts, kinds, choose }: Options): OperationList {
  const label = kinds.includes('mutation') ? texts.operations : texts.queries;
  const search = $(`<input type="text" role="combobox" aria-autocomplete="list">`).attr({
    id: `${ID}-search`,
    'aria-controls': ID,
    'aria-label': texts.search,
    placeholder: texts.search,
  });
  const said = $('<p role="status">');
  const list = $(`<div id="${ID}" role="listbox" tabindex="0">`).attr('aria-label', label);
  const element = $('<section>').attr('aria-label', label).append(search, said, list);
  let operations: SchemaOperation[] = [];
  let shown: SchemaOperation[] = [];
  let active = -1;
  /** The reason why there is no schema. */
  let reason = '';

  const options = () => list.find('[role=option]');
  const activate = (index: number) => {
    active = Math.min(Math.max(index, -1), shown.length - 1);
    options().removeClass(ACTIVE).attr('aria-selected', 'false');
    const option = active < 0 ? $() : options().eq(active);
    option.addClass(ACTIVE).attr('aria-selected', 'true');
    for (const each of [search, list]) {
      each.attr('aria-activedescendant', option.attr('id') ?? null);
    }
    option[0]?.scrollIntoView({ block: 'nearest' });
  };
  const show = () => {
    const text = String(search.val()).trim();
    const found = operationsWith(text, operations);
    // The kind of the best match comes first.
    const groups = [...new Set(found.map(({ kind }) => kind))].map((kind) =>
      found.filter((each) => each.kind === kind),
    );
    shown = groups.flat();
    list.empty().append(...groups.map((each) => groupOf(texts, each)));
    list.prop('hidden', shown.length === 0);
    search.attr('aria-expanded', String(shown.length > 0));
    const count = shown.length;
    const key = count > 0 ? 'found' : 'none';
    said.text(reason ? `${texts.noSchema} ${reason}` : insertValues(texts[key], { count, text }));
    list.scrollTop(0);
    // Enter takes the best match.
    activate(text === '' ? -1 : 0);
  };
  const chooseAt = (index: number) => {
    const chosen = shown[index];
    if (chosen) choose(chosen);
  };
  const moves: Record<string, () => number> = {
    ArrowDown: () => Math.min(active + 1, shown.length - 1),
    ArrowUp: () => Math.max(active - 1, 0),
    PageDown: () => active + PAGE,
    PageUp: () => Math.max(active - PAGE, 0),
  };
  const inList: typeof moves = { ...moves, Home: () => 0, End: () => shown.length - 1 };
  const follow = (known: typeof moves) => (event: JQuery.KeyDownEvent) => {
    const move = known[event.key];
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    // A word of Japanese that is being composed ends with Enter as well.
    if (!isPlain || event.originalEvent?.isComposing) return;
    if (move) activate(move());
    else if (event.key === 'Enter') chooseAt(active);
    else return;
    event.preventDefault();
  };
  search.on('input', show).on('keydown', follow(moves));
  list.on('keydown', follow(inList)).on('click', '[role=option]', (event) => {
    const index = options().index(event.currentTarget);
    activate(index);
    chooseAt(index);
  });
  return {
    element,
    offer(schema) {
      operations = operationsOf(schema, kinds);
      reason = '';
      show();
    },
    explain(present) {
      operations = [];
      reason = present;
      show();
    },
  };
}

function groupOf(texts: ExpandedTexts, operations: SchemaOperation[]): JQuery {
  const kind = operations[0]?.kind ?? 'query';
  const heading = insertValues(texts[kind], { count: operations.length });
  const options = operations.map((each) => optionOf(texts, each));
  return $('<div role="group">')
    .attr('aria-label', heading)
    .append($('<h4 aria-hidden="true">').text(heading), ...options);
}

function optionOf(texts: ExpandedTexts, { kind, field }: SchemaOperation): JQuery {
  const { name, type, description, deprecationReason } = field;
  const about = shortened(description || String(type));
  const parts = [$('<b>').text(name), $('<small>').text(about)];
  if (deprecationReason) parts.push($('<small>').text(texts.deprecated));
  return $('<div role="option" aria-selected="false">')
    .attr({ id: `${ID}-${kind}-${name}`, title: about })
    .append(...parts);
}
