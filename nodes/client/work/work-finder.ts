import type { IonClient } from '../client.js';
import { foreignRow, type Id } from '../support/known-columns.js';
import {
  AWAITED_QUERY,
  FIELDS_QUERY,
  type ListName,
  PAGE_SIZE,
  SCAN_QUERY,
  workOperation,
} from './documents.js';
import { awaitedIds, type Found, idsWithoutFields, thingsIn, withContext } from './found-things.js';
import { type LookupOptions, LookupRequests } from './lookup-requests.js';
import { nothingFoundText, otherEntitiesText } from './reasons.js';
import { entitiesIn } from './scanned-entities.js';
import { scannedText, scannedValue } from './scanned-value.js';
import type { WorkAnswer, WorkQuery } from './work.js';
import { judge, none } from './work-answer.js';
import { toFields } from './work-fields.js';
import {
  type Subject,
  subjectOfEntities,
  subjectOfLocation,
  subjectOfRun,
  subjectOfSerial,
  workVariables,
} from './work-filters.js';
import { listIn, toFieldsOfStep, toFoundStep } from './work-rows.js';

export interface WorkResponse {
  answer: WorkAnswer;
  /** Requests that were sent to the API, the repeated ones included. */
  attempts: number;
  /** Operations. */
  requests: number;
  traceId?: string | undefined;
}

const SUBJECTS = {
  barcode: 'The code',
  serial: 'The serial number',
  run: 'The run',
  location: 'The location',
};

/** Finds the unit, the run and the step that a code, a serial number, a run or a station means. */
export class WorkFinder {
  readonly #client: Pick<IonClient, 'request'>;

  constructor(client: Pick<IonClient, 'request'>) {
    this.#client = client;
  }

  /**
   * Asks ION, once for a serial number, a run or a location, and twice for a barcode. Once more for what
   * the steps of a location wait for, and for the fields of a step that is one of very many.
   * @throws IonError of a request; `ION_VARIABLES` for a value that is empty or longer than 5,000
   * characters
   */
  async find(query: WorkQuery, options: LookupOptions): Promise<WorkResponse> {
    const cleaned: WorkQuery = {
      ...query,
      value: scannedValue(query.value, SUBJECTS[query.by]),
      part: scannedText(query.part, 'The part number'),
      step: scannedText(query.step, 'The title of the step'),
    };
    const requests = new LookupRequests(this.#client, options);
    const answer = await this.#answer(cleaned, requests);
    const { attempts, requests: count, traceId } = requests;
    return { answer, attempts, requests: count, ...(traceId !== undefined && { traceId }) };
  }

  async #answer(query: WorkQuery, requests: LookupRequests): Promise<WorkAnswer> {
    const subject = await this.#subject(query, requests);
    if ('found' in subject) return subject;
    const lists = Object.keys(subject.lists) as ListName[];
    const data = await requests.send(workOperation(lists), workVariables(subject, query));
    const found = thingsIn(data, subject, query);
    let judgment = judge(found, query);
    const awaited = awaitedIds(found, judgment.found === 'blocked');
    if (awaited.length > 0) {
      judgment = judge(await this.#withAwaited(found, awaited, query, requests), query);
    }
    if (judgment.found !== 'one') return judgment;
    const { work } = judgment;
    if (!query.fields) return { found: 'one', work };
    const fields = judgment.fields ?? (await this.#fieldsOf(work.step.id, requests));
    return { found: 'one', work: { ...work, fields: toFields(fields) } };
  }

  /** The subject of the requests, or the answer for a barcode that leads to nothing. */
  async #subject(query: WorkQuery, requests: LookupRequests): Promise<Subject | WorkAnswer> {
    switch (query.by) {
      case 'serial':
        return subjectOfSerial(query);
      case 'run':
        return subjectOfRun(query.value);
      case 'location':
        return subjectOfLocation(query.value);
      default: {
        const { scanBarcode } = await requests.send(SCAN_QUERY, { barcode: query.value });
        const { otherTypes, ...scanned } = entitiesIn(scanBarcode);
        if (Object.keys(scanned.entities).length > 0) return subjectOfEntities(scanned);
        const isKnown = otherTypes.length > 0;
        return none(isKnown ? otherEntitiesText(otherTypes, query) : nothingFoundText(query));
      }
    }
  }

  async #withAwaited(
    found: Found,
    awaited: Id[],
    query: WorkQuery,
    requests: LookupRequests,
  ): Promise<Found> {
    const own = query.fields ? idsWithoutFields(found) : [];
    const data = await requests.send(AWAITED_QUERY, {
      filters: { id: { in: awaited.slice(0, PAGE_SIZE).map(String) } },
      own: { id: { in: own.map(String) } },
      fields: own.length > 0,
    });
    const { rows: context } = listIn(data.runSteps, PAGE_SIZE, toFoundStep);
    const { rows } = listIn(data.own, PAGE_SIZE, toFieldsOfStep);
    const fields = new Map(rows.map((row) => [String(row.id), row.fields]));
    return withContext(found, context, fields, context.length < awaited.length);
  }

  async #fieldsOf(id: unknown, requests: LookupRequests): Promise<unknown> {
    const { runStep } = await requests.send(FIELDS_QUERY, { id });
    return foreignRow(runStep)?.fields;
  }
}
