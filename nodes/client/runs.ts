import { IonError, reasonOf } from './errors.js';
import { parseOperation } from './operation.js';
import { type Page, type PageSource, type PagesOptions, pages } from './pages.js';
import {
  type RunsQuery,
  runsDocument,
  runsVariables,
  type SelectionTree,
  selectionTree,
} from './runs-query.js';

/** A run as it was selected, with `edges` and `node` unwrapped at every level. */
export type Run = Record<string, unknown>;

export interface RunsPage {
  runs: Run[];
  page: Page;
}

/**
 * The runs that match, page by page.
 * @throws IonError `ION_QUERY` for a field, operator or sort that cannot be written as GraphQL
 */
export async function* readRuns(
  client: PageSource,
  query: RunsQuery,
  options: Omit<PagesOptions, 'variables'>,
): AsyncGenerator<RunsPage, void, undefined> {
  const operation = parseOperation(runsDocument(query.fields));
  const variables = runsVariables(query);
  for await (const page of pages(client, operation, { ...options, variables })) {
    yield { runs: runsOf(page), page };
  }
}

function runsOf({ edges }: Page): Run[] {
  let runs: unknown[];
  try {
    runs = flatten({ edges }) as unknown[];
  } catch (thrown) {
    throw new IonError('ION_RESPONSE', `ION's answer cannot be read: ${reasonOf(thrown)}.`);
  }
  // A run that is null was not readable for ION itself.
  return runs.filter((run): run is Run => {
    if (run === null || run === undefined) return false;
    if (typeof run === 'object' && !Array.isArray(run)) return true;
    throw new IonError('ION_RESPONSE', 'ION answered a run that is not an object.');
  });
}

/** Unwraps `edges` and `node` at every level: what is left can go into a table. */
export function flatten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flatten);
  if (typeof value !== 'object' || value === null) return value;
  const { edges } = value as { edges?: unknown };
  if (Array.isArray(edges)) {
    return edges.map((edge: { node?: unknown } | null) => flatten(edge?.node));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flatten(item)]));
}

/** What these fields select of a run that holds more. */
export function selectFields(run: Run, fields: readonly string[]): Run {
  return project(run, selectionTree(fields)) as Run;
}

function project(value: unknown, tree: SelectionTree): unknown {
  const names = Object.keys(tree);
  if (names.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => project(item, tree));
  const object = value as Record<string, unknown>;
  return Object.fromEntries(
    names.map((name) => [name, project(object[name], tree[name] as SelectionTree)]),
  );
}
