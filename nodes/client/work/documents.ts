import type { Operation } from '../graphql/operation.js';
import { ownOperation } from '../graphql/own-operation.js';

/** The lists that a look-up reads beside the steps, in this order. */
export const LISTS = ['units', 'runById', 'runs', 'locationById', 'locations'] as const;

export type ListName = (typeof LISTS)[number];

/** The lists of steps that every look-up reads. */
export const STEP_LISTS = ['wanted', 'others', 'open'] as const;

export type StepListName = (typeof STEP_LISTS)[number];

/** Rows of one list. ION may refuse larger pages. */
export const PAGE_SIZE = 50;
/** Rows of a list of steps with their fields. */
export const PAGE_SIZE_WITH_FIELDS = 20;

const UNIT = `id ... on PartInventory @wished {
  serialNumber lotNumber part { ... on Part @wished { partNumber revision description } }
}`;
const RUN = 'id ... on Run @wished { title status archived }';
const RUN_WITH_UNIT = `${RUN} ... on Run @wished { partInventory { ${UNIT} } }`;
const FOUND_RUN = `${RUN_WITH_UNIT} ... on Run @wished { entityId }`;
const LOCATION = 'id ... on Location @wished { name }';
const FOUND_LOCATION = `${LOCATION} ... on Location @wished { archived entityId }`;
const STEP = `id runId title status ... on RunStep @wished {
  position availableToWork batched parentId upstreamStepIds locationId
  location { ${LOCATION} } run { ${RUN_WITH_UNIT} }
}`;
const VALIDATION = `id ... on RunStepFieldValidation @wished {
  value result position function { id ... on ValidationFunction @wished { displayName functionName } }
}`;
const FIELD = `id ... on RunStepField @wished {
  name type unit required options value valid validations { ${VALIDATION} }
}`;

interface List {
  query: string;
  filters: string;
  columns: string;
}

const QUERIES: Record<ListName, List> = {
  units: {
    query: 'partInventories',
    filters: 'PartInventoriesInputFilters',
    columns: `${UNIT} ... on PartInventory @wished { entityId runs { ${RUN} } }`,
  },
  runById: { query: 'runs', filters: 'RunsInputFilters', columns: FOUND_RUN },
  runs: { query: 'runs', filters: 'RunsInputFilters', columns: FOUND_RUN },
  locationById: { query: 'locations', filters: 'LocationsInputFilters', columns: FOUND_LOCATION },
  locations: { query: 'locations', filters: 'LocationsInputFilters', columns: FOUND_LOCATION },
};

/** Filters that the package can do without, because it checks the rows itself. */
const WISHED_FILTERS = [
  ...['wanted.status', 'open.status', 'others.availableToWork', 'wanted.title', 'others.title'],
  ...STEP_LISTS.flatMap((list) => partFilters(`${list}.run.partInventory`)),
];

function partFilters(path: string): string[] {
  return [`${path}.part`, `${path}.part.partNumber`];
}

const operations = new Map<string, Operation>();

/** The operation that reads these lists and the steps that belong to their rows. */
export function workOperation(lists: readonly ListName[]): Operation {
  const chosen = LISTS.filter((list) => lists.includes(list));
  const key = chosen.join();
  const known = operations.get(key);
  if (known) return known;
  const operation = ownOperation(
    `query Work(
  ${chosen.map((list) => `$${list}: ${QUERIES[list].filters}!`).join(' ')}
  ${STEP_LISTS.map((list) => `$${list}: RunStepsInputFilters!`).join(' ')}
  $size: Int! $fields: Boolean!
) {
  ${chosen.map(listSelection).join('\n')}
  ${stepSelection('wanted', 'first: $size', `${STEP} fields @include(if: $fields) { ${FIELD} }`)}
  ${stepSelection('others', 'first: $size', `${STEP} fields @include(if: $fields) { ${FIELD} }`)}
  ${stepSelection('open', `first: ${PAGE_SIZE}`, STEP)}
}`,
    [...WISHED_FILTERS, ...(chosen.includes('units') ? partFilters('units') : [])],
  );
  operations.set(key, operation);
  return operation;
}

function listSelection(list: ListName): string {
  const { query, columns } = QUERIES[list];
  return `${list}: ${query}(filters: $${list}, first: ${PAGE_SIZE}) { ${connectionOf(columns)} }`;
}

function stepSelection(list: StepListName, size: string, columns: string): string {
  return `${list}: runSteps(filters: $${list}, sort: [POSITION_ASC], ${size}) @wished(arguments: [sort]) {
    ${connectionOf(columns)}
  }`;
}

function connectionOf(columns: string): string {
  return `pageInfo { ... on IonPageInfo @wished { hasNextPage } } edges { node { ${columns} } }`;
}

/** Entities of a barcode. */
export const SCAN_QUERY = ownOperation(
  'query ScanBarcode($barcode: String!) { scanBarcode(barcode: $barcode) { entities { id type } } }',
);

/** The steps for which steps of a location wait, and the fields of those that may be the answer. */
export const AWAITED_QUERY = ownOperation(
  `query AwaitedSteps($filters: RunStepsInputFilters! $own: RunStepsInputFilters! $fields: Boolean!) {
  runSteps(filters: $filters, first: ${PAGE_SIZE}) { edges { node { ${STEP} } } }
  own: runSteps(filters: $own, first: ${PAGE_SIZE}) @include(if: $fields) {
    edges { node { id fields { ${FIELD} } } }
  }
}`,
);

/** The fields of a step that is found without them. */
export const FIELDS_QUERY = ownOperation(
  `query WorkFields($id: ID!) { runStep(id: $id) { id fields { ${FIELD} } } }`,
);
