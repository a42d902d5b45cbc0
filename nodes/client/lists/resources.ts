// The tables of ION whose rows can be listed, with the names of ION's public GraphQL schema. Dialogs
// import this file, so it must not load the GraphQL parser.

/** Rows of another table that belong to a row: when one of them changes, the row counts as changed. */
export interface ResourceParts {
  /** Field of the row that lists its parts. */
  field: string;
  /** Root field that lists the parts of all rows. */
  list: string;
}

export interface Resource {
  /** Value of `ResourceEnum`. */
  name: string;
  /** Root field that lists the rows. */
  list: string;
  /** Input type of that list's `filters`. */
  filters: string;
  /** Enum type of that list's `sort`. */
  sort: string;
  /** Fields that are selected by default. */
  fields: readonly string[];
  parts?: ResourceParts;
}

/** Fields of runs that `ion-runs` reads by default. */
export const defaultFields = [
  'id',
  'title',
  'status',
  'steps.id',
  'steps.title',
  'steps.status',
] as const;

const STAMPS = ['id', '_created', '_updated'] as const;

/** A run's status is derived from its steps, so its own `_updated` need not move with it. */
export const runs: Resource = {
  name: 'RUNS',
  list: 'runs',
  filters: 'RunsInputFilters',
  sort: 'RunSortEnum',
  fields: [...STAMPS, 'title', 'status'],
  parts: { field: 'steps', list: 'runSteps' },
};

const resources: readonly Resource[] = [
  runs,
  {
    name: 'RUN_STEPS',
    list: 'runSteps',
    filters: 'RunStepsInputFilters',
    sort: 'RunStepSortEnum',
    fields: [...STAMPS, 'title', 'status', 'runId'],
  },
  {
    name: 'RUN_STEPS_FIELDS',
    list: 'runStepFields',
    filters: 'RunStepFieldInputFilters',
    sort: 'RunStepFieldSortEnum',
    fields: [...STAMPS, 'runStepId'],
  },
  {
    name: 'ISSUES',
    list: 'issues',
    filters: 'IssueInputFilters',
    sort: 'IssueSortEnum',
    fields: [...STAMPS, 'title', 'status'],
  },
  {
    name: 'PARTS_INVENTORY',
    list: 'partInventories',
    filters: 'PartInventoriesInputFilters',
    sort: 'PartInventorySortEnum',
    fields: [...STAMPS, 'status'],
  },
  {
    name: 'LOCATIONS',
    list: 'locations',
    filters: 'LocationsInputFilters',
    sort: 'LocationSortEnum',
    fields: STAMPS,
  },
  // Not in the public schema: the sort enums of PARTS and PROCEDURES, and all of PURCHASE_ORDERS.
  {
    name: 'PARTS',
    list: 'parts',
    filters: 'PartsInputFilters',
    sort: 'PartSortEnum',
    fields: STAMPS,
  },
  {
    name: 'PROCEDURES',
    list: 'procedures',
    filters: 'ProceduresInputFilters',
    sort: 'ProcedureSortEnum',
    fields: [...STAMPS, 'title', 'status'],
  },
  {
    name: 'PURCHASE_ORDERS',
    list: 'purchaseOrders',
    filters: 'PurchaseOrdersInputFilters',
    sort: 'PurchaseOrderSortEnum',
    fields: [...STAMPS, 'status'],
  },
];

/** Names of the resources that can be listed. */
export const resourceNames: readonly string[] = resources.map(({ name }) => name);

/** The resource with this name; `undefined` for a table that cannot be listed. */
export function resourceNamed(name: string): Resource | undefined {
  return resources.find((resource) => resource.name === name);
}
