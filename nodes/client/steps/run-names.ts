import { cut, IonError, toIonError, withSentence } from '../errors.js';
import { ownOperation } from '../graphql/own-operation.js';
import { weightOf } from '../support/json-size.js';
import { foreignRow, type Id, idIn, nameIn, wordIn } from '../support/known-columns.js';
import { LruCache } from '../support/lru-cache.js';
import { foldedName, rowsNamed } from '../support/name-matching.js';
import { notFound, shown } from './pick-row.js';
import { MAX_CACHE_WEIGHT, ReadCache } from './read-cache.js';
import type { RequestScope } from './request-scope.js';
import { idOf, isNumber, type Reference } from './target.js';

const MAX_LISTED = 10;
/** The operation that finds runs by their titles and by the serial numbers of their units. */
export const RUN_NAME_QUERY = ownOperation(
  `query RunsByName($filters: RunsInputFilters!) {
  runs(filters: $filters, first: ${MAX_LISTED + 1}) {
    edges {
      node {
        id
        ... on Run @wished {
          title
          status
          partInventory { ... on PartInventory @wished { serialNumber } }
        }
      }
    }
  }
}`,
  ['filters.title', 'filters.partInventory', 'filters.partInventory.serialNumber'],
);

/** Time for which a title or a serial number means the run that it was found for. */
export const MAX_NAME_AGE_MS = 60_000;
const NAME_CACHE_SIZE = 10_000;
const ID_CACHE_SIZE = 100_000;
/** The largest ID of an ION whose IDs are numbers. */
const MAX_NUMBER = 2 ** 31 - 1;
/** A longer title or serial number is cut in a list of candidates. */
const MAX_LISTED_LENGTH = 60;

/** A run of a response; `undefined` stands for a column that this ION does not have. */
interface NamedRun {
  id: Id;
  title: string | null | undefined;
  serialNumber: string | null | undefined;
  status: string | null;
}

interface Settings {
  /**
   * Asks ION for a run by its ID.
   * @throws IonError `ION_NOT_FOUND` with the reason `unknownRun`
   */
  readRun(id: string, requests: RequestScope): Promise<unknown>;
  /** The monotonic time, in ms. */
  now?: () => number;
}

/** Finds the IDs of runs, by the ID, by the title, or by the serial number of the unit. */
export class RunNames {
  readonly #settings: Required<Settings>;
  /** IDs that ION has confirmed; an ID means the same run for ever. */
  readonly #ids = new LruCache<string, true>(ID_CACHE_SIZE, MAX_CACHE_WEIGHT);
  /** IDs of runs by title or serial number, which may be given to another run. */
  readonly #byName = new LruCache<string, { id: string; until: number }>(
    NAME_CACHE_SIZE,
    MAX_CACHE_WEIGHT,
  );
  /** Look-ups that have not ended. */
  readonly #lookups = new ReadCache<string>(NAME_CACHE_SIZE);

  constructor({ readRun, now = () => performance.now() }: Settings) {
    this.#settings = { readRun, now };
  }

  /** The ID of a run; `undefined` if ION has to be asked. */
  known(reference: Reference): string | undefined {
    const id = idOf(reference);
    if (isNumber(id) && this.#ids.get(id)) return id;
    const found = this.#byName.get(String(reference));
    return found && this.#settings.now() < found.until ? found.id : undefined;
  }

  /**
   * The ID of a run. A number is an ID first.
   * @throws IonError `ION_NOT_FOUND` for none, and for several, which it lists
   */
  async find(reference: Reference, requests: RequestScope): Promise<string> {
    const known = this.known(reference);
    if (known !== undefined) return known;
    const id = idOf(reference);
    const name = String(reference);
    if (!isNumber(id)) return this.#findNamed(name, requests);
    const byId = () => this.#confirmed(id, requests);
    const byName = () => this.#findNamed(name, requests);
    // ION's database may fail on a number that no ID can have.
    const [first, second] = Number(id) > MAX_NUMBER ? [byName, byId] : [byId, byName];
    return (await orUndefined(first())) ?? second();
  }

  /** The next `find` asks ION again. */
  forget(reference: Reference): void {
    this.#ids.delete(idOf(reference));
    this.#byName.delete(String(reference));
  }

  async #confirmed(id: string, requests: RequestScope): Promise<string> {
    await this.#settings.readRun(id, requests);
    this.#ids.set(id, true, id.length);
    return id;
  }

  #findNamed(name: string, requests: RequestScope): Promise<string> {
    return this.#lookups.get(name, requests, async () => {
      try {
        const { data } = await requests.send(RUN_NAME_QUERY, { filters: filtersFor(name) });
        const { edges } = foreignRow(data.runs) ?? {};
        const id = String(onlyRun(runsIn(edges), name).id);
        const weight = weightOf(name, MAX_CACHE_WEIGHT);
        this.#byName.set(name, { id, until: this.#settings.now() + MAX_NAME_AGE_MS }, weight);
        return { value: id, weight };
      } finally {
        // Only messages that need it at the same time share a look-up.
        this.#lookups.delete(name);
      }
    });
  }
}

/** `undefined` if there is no such run. */
async function orUndefined<Found>(finding: Promise<Found>): Promise<Found | undefined> {
  try {
    return await finding;
  } catch (thrown) {
    if (toIonError(thrown).reason?.key === 'unknownRun') return undefined;
    throw thrown;
  }
}

/** ION compares texts byte by byte, so each form of a name is a separate one. */
function formsOf(name: string): string[] {
  const folded = foldedName(name);
  const forms = [name, name.normalize('NFC'), name.normalize('NFD'), folded];
  return [...new Set([...forms, folded.normalize('NFD')])];
}

function filtersFor(name: string): object {
  const is = { in: formsOf(name) };
  return { or_: [{ title: is }, { partInventory: { serialNumber: is } }] };
}

function runsIn(edges: unknown): NamedRun[] {
  // A server that ignores the limit must not fill the memory.
  const list = Array.isArray(edges) ? edges.slice(0, MAX_LISTED + 1) : [];
  return list.flatMap((edge) => {
    const { id, title, status, partInventory } = foreignRow(foreignRow(edge)?.node) ?? {};
    const known = idIn(id);
    if (known === null) return [];
    const serialNumber = foreignRow(partInventory)?.serialNumber;
    return {
      id: known,
      title: title === undefined ? undefined : nameIn(title),
      serialNumber: isLacking(partInventory, serialNumber) ? undefined : nameIn(serialNumber),
      status: wordIn(status),
    };
  });
}

/** Whether this ION does not have the column; a run without a unit has no serial number. */
function isLacking(partInventory: unknown, serialNumber: unknown): boolean {
  return serialNumber === undefined && partInventory !== null;
}

/** @throws IonError */
function onlyRun(runs: readonly NamedRun[], name: string): NamedRun {
  const found = runsNamed(runs, name);
  const isUnclear = (run: NamedRun) => run.title === undefined || run.serialNumber === undefined;
  const unclear = runs.filter((run) => !found.includes(run) && isUnclear(run));
  const [first, ...others] = [...found, ...unclear];
  // More runs than were read may have exactly this name.
  if (first && others.length === 0 && runs.length > MAX_LISTED) throw several(runs, name);
  if (first && others.length > 0) throw several([first, ...others], name);
  if (unclear.length > 0) {
    throw new IonError(
      'ION_RESPONSE',
      `ION returned a run for "${shown(name)}" without its title or its serial number, so it cannot be identified. Use the ID.`,
    );
  }
  if (first) return first;
  throw unknownRun(name);
}

/** The runs with exactly this title or serial number, else those without a visible difference. */
function runsNamed(runs: readonly NamedRun[], name: string): NamedRun[] {
  const names = runs.flatMap((run) => [
    { run, name: run.title ?? '' },
    { run, name: run.serialNumber ?? '' },
  ]);
  let found = rowsNamed(names, name, (each) => each.name);
  // Names that are too long to be folded.
  if (found.length === 0) {
    const forms = formsOf(name);
    found = names.filter((each) => forms.includes(each.name));
  }
  return [...new Set(found.map(({ run }) => run))];
}

function several(runs: readonly NamedRun[], name: string): IonError {
  const short = (value: Id | null | undefined) => cut(shown(value ?? null), MAX_LISTED_LENGTH);
  const listed = runs.slice(0, MAX_LISTED).map(({ id, title, status, serialNumber }) => {
    const serial = serialNumber ? `, serial number "${short(serialNumber)}"` : '';
    return `${shown(id)} "${short(title)}" (${short(status)}${serial})`;
  });
  const more = runs.length > MAX_LISTED ? ' …' : '';
  const text = `More than one run has the title or the serial number "${shown(name)}": ${listed.join(', ')}${more}.`;
  return notFound(withSentence(text, 'Use the ID.'), { key: 'severalRuns', name });
}

/** The failure of a look-up that found no run. */
export function unknownRun(reference: string): IonError {
  return notFound(
    `ION has no run "${shown(reference)}", by its ID, its title or the serial number of its unit, or the API key has no access to it.`,
    { key: 'unknownRun', name: reference },
  );
}
