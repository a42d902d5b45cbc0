import type { IonClient, RequestOptions } from '../client.js';
import { IonError, type IonErrorCode, toIonError } from '../errors.js';
import { isRefusal } from '../failures/classify-failure.js';
import { parseOperation } from '../graphql/operation.js';
import { describe } from '../support/describe.js';
import { isPlainObject } from '../support/json.js';
import { KeyedMutex } from '../support/keyed-mutex.js';
import type { TimeZone } from '../support/time-zone.js';
import { type Attachment, type AttachmentFile, Attachments } from './attachments.js';
import { toFieldValue } from './field-values.js';
import { etagIn, type Id } from './known-columns.js';
import { foldedName } from './name-matching.js';
import { RequestScope } from './request-scope.js';
import { isGiven, type RunStep, type RunStepField, RunSteps, type Target } from './run-steps.js';

/** What to do where somebody else wrote meanwhile. */
export type ConflictPolicy = 'retry' | 'fail';

export interface WriteOptions extends Pick<RequestOptions, 'signal' | 'isNew' | 'onState'> {
  onConflict: ConflictPolicy;
}

/** A row as ION returns it after a write. */
export type Written = Record<string, unknown>;

/** What became of one of several fields. */
export type FieldResult = { written: Written } | { error: { code: IonErrorCode; message: string } };

export interface WriteResult<Payload> {
  payload: Payload;
  /** Name of the mutation. */
  name: string;
  /** Requests that were sent to the API, to look names up among them. */
  attempts: number;
  traceId: string | undefined;
  /** Of several fields, by name. */
  results?: Record<string, FieldResult>;
}

const MAX_RETRIES = 3;
const FIELD_MUTATION = `mutation UpdateRunStepFieldValue($input: UpdateRunStepFieldValueInput!) { updateRunStepFieldValue(input: $input) { runStepField { id name type value unit valid notApplicable runStepId _updated _etag } } }`;
const STATUS_MUTATION = `mutation UpdateRunStep($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { id runId title status position startTime endTime entityId _updated _etag } } }`;

/** Writes to the steps of runs, each write with the etag that ION wants to see. */
export class StepWriter {
  readonly #client: IonClient;
  readonly #steps = new RunSteps();
  readonly #attachments: Attachments;
  readonly #timeZone: TimeZone | undefined;
  /** Two writes to one row at once would refuse each other. */
  readonly #turns = new KeyedMutex();

  /** @param timeZone of dates without a zone; without it, they are refused */
  constructor(client: IonClient, timeZone?: TimeZone) {
    this.#client = client;
    this.#timeZone = timeZone;
    this.#attachments = new Attachments(client);
  }

  /**
   * The id of the run that a target is in.
   * @throws IonError `ION_NOT_FOUND`
   */
  runOf(target: Target, options: Omit<WriteOptions, 'onConflict'>): Promise<string> {
    return this.#run(options, (requests) => this.#steps.runOf(target, requests));
  }

  /**
   * Whether ION answers, its database included.
   * @throws IonError
   */
  async check(options: Omit<WriteOptions, 'onConflict'>): Promise<void> {
    await new RequestScope(this.#client, options).send(parseOperation('{ me { id } }'), {});
  }

  /**
   * Records the value of a field, or those of several fields of a step: without a field, the value
   * holds them by name.
   * @throws IonError
   */
  write(target: Target, value: unknown, options: WriteOptions): Promise<WriteResult<unknown>> {
    if (!isGiven(target.field) && isPlainObject(value)) {
      return this.writeFields(target, value, options);
    }
    return this.writeField(target, value, options);
  }

  /**
   * Records the value of a field.
   * @throws IonError `ION_NOT_FOUND`, `ION_VARIABLES` for a value that the field does not take,
   * `ION_CONFLICT`, or what ION says
   */
  async writeField(
    target: Target,
    value: unknown,
    options: WriteOptions,
  ): Promise<WriteResult<Written>> {
    return this.#run(options, async (requests) => {
      const payload = await this.#writeField(target, value, options, requests);
      return answerOf('UpdateRunStepFieldValue', payload, requests);
    });
  }

  /**
   * Records the values of several fields of a step, all of them whatever becomes of one.
   * @throws IonError with `results` by name, where at least one was not written
   */
  async writeFields(
    target: Target,
    values: Record<string, unknown>,
    options: WriteOptions,
  ): Promise<WriteResult<Record<string, Written>>> {
    return this.#run(options, async (requests) => {
      const names = Object.keys(values);
      if (names.length === 0) {
        throw new IonError(
          'ION_VARIABLES',
          'The value holds no field: it must be like { "Torque": 12.5 }.',
        );
      }
      const written = await Promise.allSettled(
        names.map((name) =>
          this.#writeField({ ...target, field: name }, values[name], options, requests),
        ),
      );
      const results: Record<string, FieldResult> = {};
      const failures: [string, IonError][] = [];
      const payload: Record<string, Written> = {};
      for (const [index, outcome] of written.entries()) {
        const name = names[index] as string;
        if (outcome.status === 'fulfilled') {
          payload[name] = outcome.value;
          results[name] = { written: outcome.value };
        } else {
          const error = toIonError(outcome.reason);
          failures.push([name, error]);
          results[name] = { error: { code: error.code, message: error.message } };
        }
      }
      if (failures.length > 0) throw failureOf(failures, names.length, results, requests);
      return { ...answerOf('UpdateRunStepFieldValue', payload, requests), results };
    });
  }

  /**
   * Changes the status of a step.
   * @param status as in ION, in any case of letters; ION knows which ones there are
   * @throws IonError
   */
  async writeStatus(
    target: Target,
    status: unknown,
    options: WriteOptions,
  ): Promise<WriteResult<Written>> {
    return this.#run(options, async (requests) => {
      const wanted = toStatus(status);
      const payload = await this.#write<RunStep>(options, {
        find: () => this.#steps.step(target, requests),
        forget: (step) => this.#steps.forgetStep(step),
        kind: 'step',
        send: async ({ id, _etag: etag }) => {
          const input = { id, etag, status: wanted };
          const { data } = await requests.send(parseOperation(STATUS_MUTATION), { input });
          return (data.updateRunStep as { runStep?: Written } | null)?.runStep;
        },
      });
      return answerOf('UpdateRunStep', payload, requests);
    });
  }

  /**
   * Attaches a file to a step.
   * @param earlier what is known of an earlier try, which may have succeeded
   * @throws IonError
   */
  async attach(
    target: Target,
    file: AttachmentFile,
    options: Omit<WriteOptions, 'onConflict'>,
    earlier: EarlierTry = {},
  ): Promise<WriteResult<Attachment>> {
    return this.#run(options, async (requests) => {
      const step = await this.#steps.step(target, requests);
      const done = await this.#attached(step, file, earlier, requests);
      if (done) return answerOf('CreateFileAttachment', done, requests);
      const { entityId } = step;
      if (entityId === null) {
        throw new IonError(
          'ION_RESPONSE',
          'ION answered a step without the id that files hang on.',
        );
      }
      const attached = await this.#attachments.attach(file, entityId, requests, earlier.created);
      return answerOf('CreateFileAttachment', attached, requests);
    });
  }

  /** The ids of what has this name on a step, to be looked at before a file is attached again. */
  async attachmentsOf(
    target: Target,
    filename: string,
    options: Omit<WriteOptions, 'onConflict'>,
  ): Promise<number[]> {
    return this.#run(options, async (requests) => {
      const { id } = await this.#steps.step(target, requests);
      return (await this.#attachments.named(filename, id, requests)).map((each) => each.id);
    });
  }

  /** What an earlier try attached, if its bytes arrived. */
  async #attached(
    { id }: RunStep,
    { filename, size }: AttachmentFile,
    { before, attachment }: EarlierTry,
    requests: RequestScope,
  ): Promise<Attachment | undefined> {
    if (!before && !attachment) return undefined;
    const named = await this.#attachments.named(filename, id, requests);
    const isOurs = (each: Attachment) =>
      attachment ? each.id === attachment.id : !before?.includes(each.id);
    for (const found of named.filter(isOurs)) {
      const { downloadUrl, ...own } = found;
      if (await this.#attachments.isComplete(found, size, requests)) return own;
      // Only what is known to be its own is taken away.
      if (attachment) await this.#attachments.remove(own, requests);
    }
    return undefined;
  }

  /** Whatever fails, the error tells of all requests that were sent for it. */
  async #run<Result>(
    options: Omit<WriteOptions, 'onConflict'>,
    work: (requests: RequestScope) => Promise<Result>,
  ): Promise<Result> {
    const requests = new RequestScope(this.#client, options);
    try {
      return await work(requests);
    } catch (thrown) {
      const error = toIonError(thrown);
      if (error.attempts > 0) throw error;
      const { attempts, traceId } = requests;
      // A copy, because several messages may wait for the same look-up.
      throw error.with({ attempts, traceId: error.traceId ?? traceId });
    }
  }

  #writeField(
    target: Target,
    value: unknown,
    options: WriteOptions,
    requests: RequestScope,
  ): Promise<Written> {
    return this.#write<RunStepField>(options, {
      find: () => this.#steps.field(target, requests),
      forget: (field) => this.#steps.forgetField(field),
      kind: 'field',
      send: async (field) => {
        const input = {
          id: field.id,
          etag: field._etag,
          value: toFieldValue(field, value, this.#timeZone),
        };
        const { data } = await requests.send(parseOperation(FIELD_MUTATION), { input });
        return (data.updateRunStepFieldValue as { runStepField?: Written } | null)?.runStepField;
      },
    });
  }

  /** Finds a row and writes to it with its etag; reads it again where what was known is outdated. */
  async #write<Row extends { id: Id; _etag: string | null }>(
    { onConflict }: WriteOptions,
    { find, forget, kind, send }: RowAccess<Row>,
  ): Promise<Written> {
    let row = await find();
    return this.#turns.run(`${kind} ${row.id}`, this.#client.queueLimit, async () => {
      for (let tries = 1; ; tries++) {
        try {
          const written = await send(row);
          if (!written) {
            const text = `ION answered no ${kind}: it may not exist any more, or the API key may not see it.`;
            throw new IonError('ION_NOT_FOUND', text);
          }
          row._etag = etagIn(written._etag);
          return written;
        } catch (thrown) {
          forget(row);
          if (!isOutdated(toIonError(thrown), tries, onConflict)) throw thrown;
          row = await find();
        }
      }
    });
  }
}

/** What is known of a try to attach a file whose answer was lost. */
export interface EarlierTry {
  /** Ids of what had this name on the step before it. */
  before?: readonly number[];
  /** What it had made before its bytes were sent. */
  attachment?: Attachment;
  /** Hears of what this try makes, before its bytes are sent. */
  created?: (attachment: Attachment) => Promise<void>;
}

interface RowAccess<Row> {
  kind: 'field' | 'step';
  find(): Promise<Row> | Row;
  /** Lets the next `find` read it again. */
  forget(row: Row): void;
  send(row: Row): Promise<Written | undefined>;
}

/** Whether another reading may help. */
function isOutdated(
  { code, origin, mayHaveRun }: IonError,
  tries: number,
  onConflict: ConflictPolicy,
): boolean {
  if (code === 'ION_CONFLICT') {
    // A gateway's 409 does not say that nothing was written.
    const isKnown = origin !== 'gateway' && !mayHaveRun;
    return onConflict === 'retry' && tries <= MAX_RETRIES && isKnown;
  }
  // The options of a field may have changed since it was read.
  return code === 'ION_VARIABLES' && tries === 1;
}

/** ION's statuses are written like `IN_PROGRESS`. */
function toStatus(status: unknown): string {
  const text = typeof status === 'string' ? foldedName(status) : '';
  if (text !== '') return text.toUpperCase().replace(/[\s-]+/g, '_');
  throw new IonError(
    'ION_VARIABLES',
    `The status must be a text such as "IN_PROGRESS" or "COMPLETE", not ${typeof status === 'number' ? status : describe(status)}.`,
  );
}

function answerOf<Payload>(
  name: string,
  payload: Payload,
  { attempts, traceId }: RequestScope,
): WriteResult<Payload> {
  return { payload, name, attempts, traceId };
}

/** One error for a message of which a part was written. */
function failureOf(
  failures: readonly [string, IonError][],
  count: number,
  results: Record<string, FieldResult>,
  requests: RequestScope,
): IonError {
  const named = ([name, { message }]: [string, IonError]) =>
    message.includes(`"${name}"`) ? message : `"${name}": ${message}`;
  const told = failures.map(named).join(' · ');
  // A refusal counts more than an outage, because repeating the message would not help it.
  const worst = failures.find(([, error]) => isRefusal(error)) ?? failures[0];
  const cause = (worst as [string, IonError])[1];
  const were = failures.length === 1 ? 'was' : 'were';
  return cause.with({
    message: `${failures.length} of ${count} fields ${were} not written: ${told}`,
    cause,
    mayHaveRun: failures.some(([, { mayHaveRun }]) => mayHaveRun),
    notRun: failures.every(([, { notRun }]) => notRun),
    isUncertain: failures.some(([, { isUncertain }]) => isUncertain),
    results,
    parts: failures.map(([, part]) => part),
    attempts: requests.attempts,
  });
}
