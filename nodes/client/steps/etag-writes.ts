import { IonError, toIonError } from '../errors.js';
import { KeyedMutex } from '../support/keyed-mutex.js';
import { etagIn, type Id } from '../support/known-columns.js';

/** A row as ION returns it after a write. */
export type Written = Record<string, unknown>;

/** The skeleton of a dry run for a row, which ION did not change: its etag stays. */
export function unchanged(skeleton: Written = {}, row: { id: Id; _etag: string | null }): Written {
  return { ...skeleton, id: row.id, _etag: row._etag };
}

/** The operations on one kind of rows. */
export interface RowAccess<Row> {
  kind: 'field' | 'step';
  find(): Promise<Row> | Row;
  /** Makes the next `find` read the row again. */
  forget(row: Row): void;
  /** Sends the write with the row's etag; `undefined` if ION returned no row. */
  send(row: Row): Promise<Written | undefined>;
}

const MAX_CONFLICT_RETRIES = 3;

/**
 * Writes rows with the etag that ION requires, one write per row at a time: two at once would make
 * each other fail.
 */
export class EtagWrites {
  readonly #mutex = new KeyedMutex();
  readonly #queueLimit: number;

  /** @param queueLimit maximum number of writes that wait for one row */
  constructor(queueLimit: number) {
    this.#queueLimit = queueLimit;
  }

  /**
   * Writes one row. A row that turns out to be out of date is read again before the next try.
   * @param retriesConflicts whether a row that someone else changed is written nevertheless
   * @throws IonError `ION_NOT_FOUND`, `ION_CONFLICT`, `ION_OVERLOADED`, or the error of `send`
   */
  async write<Row extends { id: Id; _etag: string | null }>(
    { kind, find, forget, send }: RowAccess<Row>,
    retriesConflicts: boolean,
  ): Promise<Written> {
    let row = await find();
    return this.#mutex.run(`${kind} ${row.id}`, this.#queueLimit, async () => {
      for (let tries = 1; ; tries++) {
        try {
          const written = await send(row);
          if (!written) {
            throw new IonError(
              'ION_NOT_FOUND',
              `ION returned no ${kind}. It may have been deleted, or the API key has no access to it.`,
            );
          }
          row._etag = etagIn(written._etag);
          return written;
        } catch (thrown) {
          forget(row);
          if (!mayBeOutdated(toIonError(thrown), tries, retriesConflicts)) throw thrown;
          row = await find();
        }
      }
    });
  }
}

/** Whether the write may succeed after the row is read again. */
function mayBeOutdated(
  { code, origin, mayHaveRun }: IonError,
  tries: number,
  retriesConflicts: boolean,
): boolean {
  if (code === 'ION_CONFLICT') {
    // A gateway's 409 does not prove that nothing was written.
    const isCertain = origin !== 'gateway' && !mayHaveRun;
    return retriesConflicts && tries <= MAX_CONFLICT_RETRIES && isCertain;
  }
  // The options of a field may have changed since it was read.
  return code === 'ION_VARIABLES' && tries === 1;
}
