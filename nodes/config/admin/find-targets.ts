import type { NodeAPI } from 'node-red';
import type { IonClient } from '../../client/client.js';
import { IonError } from '../../client/errors.js';
import type { Operation } from '../../client/graphql/operation.js';
import { ownOperation } from '../../client/graphql/own-operation.js';
import { pages } from '../../client/paging/paginator.js';
import { pickStep } from '../../client/steps/pick-row.js';
import { RequestScope } from '../../client/steps/request-scope.js';
import { RunNames, unknownRun } from '../../client/steps/run-names.js';
import { type RunStep, toStep } from '../../client/steps/step-rows.js';
import { checkTarget, idOf, isGiven, type Reference } from '../../client/steps/target.js';
import { type ForeignRow, foreignRow, idIn, nameIn } from '../../client/support/known-columns.js';
import { foldedName } from '../../client/support/name-matching.js';
import { withClientOfDialog } from './client-of-dialog.js';
import { requireDeployedConfig } from './deployed-config.js';

/** A dialog asks for runs, for the steps of a run, or for the fields of a step. */
interface FindRequest {
  kind: 'run' | 'step' | 'field';
  /** Part of a name; everything if it is empty. */
  search: string;
  run?: Reference;
  step?: Reference;
}

export interface FoundTarget {
  id: string;
  name: string;
  /** The name, or the ID if several have the name. */
  reference: string;
  details: string[];
}

export interface FoundTargets {
  found: FoundTarget[];
  isMore: boolean;
}

const MAX_FOUND = 20;
const MAX_SEARCH_LENGTH = 200;
/** ION's statuses of runs. */
const RUN_STATUSES = [
  ...['TODO', 'IN_PROGRESS', 'COMPLETE', 'PARTIAL_COMPLETE'],
  ...['FAILED', 'HOLD', 'CANCELED', 'REDLINE'],
];

const RUNS_QUERY = ownOperation(
  `query FindRuns($filters: RunsInputFilters) {
  runs(filters: $filters, sort: [_UPDATED_DESC]) @wished(arguments: [sort]) {
    edges {
      node {
        id
        ... on Run @wished {
          title
          status
          part { ... on Part @wished { partNumber } }
          partInventory { ... on PartInventory @wished { serialNumber } }
        }
      }
    }
  }
}`,
  [
    ...['filters.status', 'filters.title'],
    ...['filters.part', 'filters.part.partNumber'],
    ...['filters.partInventory', 'filters.partInventory.serialNumber'],
  ],
);
const STEPS_QUERY = ownOperation(
  `query FindSteps($id: ID!) {
  run(id: $id) { steps { id ... on RunStep @wished { title position status } } }
}`,
);
const FIELDS_QUERY = ownOperation(
  `query FindFields($id: ID!) {
  runStep(id: $id) { fields { id ... on RunStepField @wished { name type unit } } }
}`,
);

/** Finds runs, steps or fields in ION for a dialog. */
export async function findTargets(
  RED: NodeAPI,
  id: string,
  body: unknown,
  signal: AbortSignal,
): Promise<FoundTargets> {
  const { client } = requireDeployedConfig(RED, id);
  return find(client, body, signal);
}

/** Finds runs, steps or fields with the values of a config node that is not deployed. */
export async function findUndeployedTargets(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<FoundTargets> {
  return withClientOfDialog(RED, body, (client) => find(client, body, signal));
}

async function find(client: IonClient, body: unknown, signal: AbortSignal): Promise<FoundTargets> {
  return new Finder(client, signal).find(readRequest(body));
}

function readRequest(body: unknown): FindRequest {
  const { kind, search = '', run, step } = (body ?? {}) as Partial<FindRequest>;
  const isReference = (value: unknown) =>
    value === undefined || ['string', 'number'].includes(typeof value);
  const isValid = ['run', 'step', 'field'].includes(String(kind)) && typeof search === 'string';
  if (!isValid || !isReference(run) || !isReference(step)) {
    throw new IonError('ION_CONFIG', 'The request must hold a kind, a search text and IDs.');
  }
  checkTarget({ run, step });
  return { ...(body as FindRequest), search: foldedName(search.slice(0, MAX_SEARCH_LENGTH)) };
}

class Finder {
  readonly #client: IonClient;
  readonly #signal: AbortSignal;
  /** Steps that were read, by the ID of their run. */
  readonly #steps = new Map<string, RunStep[]>();

  constructor(client: IonClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async find({ kind, search, run, step }: FindRequest): Promise<FoundTargets> {
    if (kind === 'run') return this.#runs(search);
    if (kind === 'step') return matching(stepTargets(await this.#stepsOf(run)), search);
    const { id } = isGiven(run)
      ? pickStep(await this.#stepsOf(run), step ?? '', idOf(run))
      : { id: idOf(step ?? '') };
    const { runStep } = await this.#send(FIELDS_QUERY, { id });
    return matching(fieldTargets(rowsIn(foreignRow(runStep)?.fields)), search);
  }

  async #runs(search: string): Promise<FoundTargets> {
    const ilike = `%${search}%`;
    const status = RUN_STATUSES.find((each) => lettersOf(each) === lettersOf(search));
    const filters = {
      or_: [
        ...(status === undefined ? [] : [{ status: { eq: status } }]),
        { title: { ilike } },
        { part: { partNumber: { ilike } } },
        { partInventory: { serialNumber: { ilike } } },
      ],
    };
    const isId = /^\d{1,15}$/.test(search);
    const [byId, byText] = await Promise.all([
      isId ? this.#runRows({ id: { eq: search } }) : [],
      this.#runRows(search === '' ? undefined : filters),
    ]);
    const ids = new Set(byId.map(({ id }) => idIn(id)));
    const rows = [...byId, ...byText.filter(({ id }) => !ids.has(idIn(id)))];
    const found = rows.flatMap((row) => {
      const { partNumber } = foreignRow(row.part) ?? {};
      const { serialNumber } = foreignRow(row.partInventory) ?? {};
      const target = toTarget(row.id, row.title, [partNumber, serialNumber, row.status]);
      // Only the ID of a run identifies it.
      return target ? { ...target, reference: target.id } : [];
    });
    return upToLimit(found);
  }

  async #runRows(filters: ForeignRow | undefined): Promise<ForeignRow[]> {
    const wanted = MAX_FOUND + 1;
    const rows: ForeignRow[] = [];
    for await (const { edges } of pages(this.#client, RUNS_QUERY, {
      ...{ variables: { filters }, pageSize: wanted, limit: wanted },
      ...{ signal: this.#signal, isEditor: true },
    })) {
      rows.push(...rowsIn(rowsIn(edges).map(({ node }) => node)));
    }
    return rows;
  }

  /** @param run its ID, its title or the serial number of its unit */
  async #stepsOf(run: Reference | undefined): Promise<RunStep[]> {
    if (!isGiven(run)) throw unknownRun('');
    const names = new RunNames({ readRun: (id) => this.#readSteps(id) });
    const options = { signal: this.#signal, isEditor: true };
    const id = await names.find(run, new RequestScope(this.#client, options));
    return this.#steps.get(id) ?? this.#readSteps(id);
  }

  async #readSteps(id: string): Promise<RunStep[]> {
    const row = foreignRow((await this.#send(STEPS_QUERY, { id })).run);
    if (!row) throw unknownRun(id);
    const steps = rowsIn(row.steps).flatMap((each) => toStep(each) ?? []);
    this.#steps.set(id, steps);
    return steps;
  }

  async #send(operation: Operation, variables: ForeignRow): Promise<ForeignRow> {
    const options = { variables, signal: this.#signal, isEditor: true };
    return (await this.#client.request(operation, options)).data;
  }
}

function stepTargets(steps: readonly RunStep[]): FoundTarget[] {
  const sorted = steps.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  return sorted.flatMap(({ id, title, position, status }) => {
    const place = position === null ? '' : `#${position}`;
    return toTarget(id, title, [place, status]) ?? [];
  });
}

function fieldTargets(rows: readonly ForeignRow[]): FoundTarget[] {
  return rows.flatMap(({ id, name, type, unit }) => toTarget(id, name, [type, unit]) ?? []);
}

/** The same for `IN_PROGRESS` and "in progress". */
function lettersOf(text: string): string {
  return text.replace(/[\s_-]/g, '').toLowerCase();
}

function rowsIn(list: unknown): ForeignRow[] {
  const rows = Array.isArray(list) ? list.map(foreignRow) : [];
  return rows.filter((row) => row !== undefined);
}

function toTarget(id: unknown, name: unknown, details: unknown[]): FoundTarget | undefined {
  const known = idIn(id);
  if (known === null) return undefined;
  const text = nameIn(name) ?? '';
  return {
    ...{ id: String(known), name: text, reference: text },
    details: details.flatMap((each) => nameIn(each) || []),
  };
}

/** The targets that the search text occurs in, with references that are unique among all. */
function matching(all: readonly FoundTarget[], search: string): FoundTargets {
  const counts = new Map<string, number>();
  const keyOf = ({ name }: FoundTarget) => foldedName(name).toLowerCase();
  for (const target of all) counts.set(keyOf(target), (counts.get(keyOf(target)) ?? 0) + 1);
  const wanted = search.toLowerCase();
  const byId = all.filter(({ id }) => id === search);
  const byText = all.filter((each) => each.id !== search && keyOf(each).includes(wanted));
  const found = [...byId, ...byText];
  return upToLimit(
    found.map((target) => {
      const key = keyOf(target);
      // A number could be taken for an ID.
      const isName = counts.get(key) === 1 && key !== '' && !/^\d+$/.test(key);
      return isName ? target : { ...target, reference: target.id };
    }),
  );
}

function upToLimit(found: FoundTarget[]): FoundTargets {
  return { found: found.slice(0, MAX_FOUND), isMore: found.length > MAX_FOUND };
}
