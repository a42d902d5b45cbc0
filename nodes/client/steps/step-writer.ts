import type { IonClient, RequestOptions } from '../client.js';
import { IonError, toIonError } from '../errors.js';
import type { DryRunRequest } from '../graphql/dry-run-request.js';
import { ownOperation } from '../graphql/own-operation.js';
import { isPlainObject } from '../support/json.js';
import type { TimeZone } from '../support/time-zone.js';
import type { AttachmentFile } from './attachment-file.js';
import { type Attachment, Attachments, type EarlierTry, type TryProgress } from './attachments.js';
import { EtagWrites, unchanged, type Written } from './etag-writes.js';
import { FIELD_MUTATION } from './field-mutation.js';
import { type FieldResult, writeAllFields } from './field-results.js';
import { toFieldValue } from './field-values.js';
import { type NotCreatedWrite, writeToNotCreated } from './not-created.js';
import { notFound, shown } from './pick-row.js';
import { type Client, RequestScope } from './request-scope.js';
import { RunSteps } from './run-steps.js';
import type { RunStepField } from './step-rows.js';
import { StepStart, withStartAdvice, writableTargets } from './step-start.js';
import { StepStatus } from './step-status.js';
import { isGiven, type Target } from './target.js';

/** Policy for a row that someone else changed: read it again and write, or fail. */
export type ConflictPolicy = 'retry' | 'fail';

export interface StepRequestOptions
  extends Pick<
    RequestOptions,
    'signal' | 'isNew' | 'sharesDocument' | 'trace' | 'origin' | 'onState'
  > {
  /** Whether the write may go to this run, if the target names one; to any by default. */
  mayGoTo?: ((run: string) => boolean) | undefined;
}

export interface WriteOptions extends StepRequestOptions {
  onConflict: ConflictPolicy;
}

export interface ValueOptions extends WriteOptions {
  /** Whether a step that is still to do is started before its value is written; false by default. */
  startStep?: boolean | undefined;
  /** Called when the step was started, before the value is written. */
  onStarted?: (() => Promise<void>) | undefined;
}

export interface WriteResult<Payload> {
  payload: Payload;
  /** Name of the mutation. */
  name: string;
  /** Requests that were sent to the API, including look-ups. */
  attempts: number;
  traceId: string | undefined;
  /** Outcomes by name, if several fields were written. */
  results?: Record<string, FieldResult>;
  /** The step was still to do and was started before the value was written. */
  started?: true;
  /** Only in a dry run: the mutations that were not sent. */
  notSent?: readonly DryRunRequest[] | undefined;
}

const CHECK = ownOperation('query Probe { me { id } }');

/** Writes to the steps of runs: field values, status, attachments. */
export class StepWriter {
  readonly #requests: Client;
  readonly #steps = new RunSteps();
  readonly #attachments: Attachments;
  readonly #writes: EtagWrites;
  readonly #status: StepStatus;
  readonly #timeZone: TimeZone | undefined;

  /**
   * @param timeZone of dates without a zone; without it, such dates are rejected
   * @param requests sends the operations; the client by default
   */
  constructor(client: IonClient, timeZone?: TimeZone, requests: Client = client) {
    this.#requests = requests;
    this.#timeZone = timeZone;
    this.#attachments = new Attachments(client);
    this.#writes = new EtagWrites(client.queueLimit);
    this.#status = new StepStatus(this.#steps, this.#writes);
  }

  /**
   * The id of the run that a target belongs to.
   * @throws IonError `ION_NOT_FOUND`
   */
  runOf(target: Target, options: StepRequestOptions): Promise<string> {
    return this.#run(target, options, (requests) => this.#steps.runOf(target, requests));
  }

  /**
   * The id of the run that a target names. A title or a serial number is known for a minute.
   * @returns `undefined` if ION has to be asked, or if the target names no run
   */
  knownRun(target: Target): string | undefined {
    return this.#steps.knownRun(target);
  }

  /**
   * Checks that ION can read its database.
   * @throws IonError the error of the request
   */
  async check(options: StepRequestOptions): Promise<void> {
    await new RequestScope(this.#requests, options).send(CHECK, {});
  }

  /**
   * Records the value of a field. Without a field in the target, an object as value holds several
   * fields by name.
   * @throws IonError as `writeField` and `writeFields`
   */
  write(target: Target, value: unknown, options: ValueOptions): Promise<WriteResult<unknown>> {
    if (!isGiven(target.field) && isPlainObject(value)) {
      return this.writeFields(target, value, options);
    }
    return this.writeField(target, value, options);
  }

  /**
   * Records the value of a field.
   * @throws IonError `ION_NOT_FOUND`, `ION_VARIABLES` for a value that does not fit the field,
   * `ION_CONFLICT`, or the error of the request
   */
  async writeField(
    target: Target,
    value: unknown,
    options: ValueOptions,
  ): Promise<WriteResult<Written>> {
    return this.#writeStarted(target, [[target, value]], options, async (requests) => {
      const payload = await this.#writeField(target, value, options, requests);
      return resultOf('UpdateRunStepFieldValue', payload, requests);
    });
  }

  /**
   * Records the values of several fields of a step, even if some of them fail.
   * @throws IonError with `results` by name, if at least one field was not written
   */
  async writeFields(
    target: Target,
    values: Record<string, unknown>,
    options: ValueOptions,
  ): Promise<WriteResult<Record<string, Written>>> {
    const targetOf = (name: string): Target => ({ ...target, field: name });
    const all = Object.entries(values).map(([name, value]) => [targetOf(name), value] as const);
    return this.#writeStarted(target, all, options, async (requests) => {
      if (Object.keys(values).length === 0) {
        throw new IonError(
          'ION_VARIABLES',
          'The value has no fields. It must be an object such as { "Torque": 12.5 }.',
          { reason: { key: 'noField' } },
        );
      }
      const { payload, results } = await writeAllFields(values, requests, (name, value) =>
        this.#writeField(targetOf(name), value, options, requests),
      );
      return { ...resultOf('UpdateRunStepFieldValue', payload, requests), results };
    });
  }

  /**
   * Changes the status of a step.
   * @param status a status of ION in any case; ION decides whether it exists
   * @throws IonError `ION_NOT_FOUND`, `ION_VARIABLES` for a status that is not text, `ION_CONFLICT`,
   * or the error of the request
   */
  async writeStatus(
    target: Target,
    status: unknown,
    options: WriteOptions,
  ): Promise<WriteResult<Written>> {
    return this.#run(target, options, async (requests) => {
      const retries = options.onConflict === 'retry';
      const payload = await this.#status.write(target, status, requests, retries);
      return resultOf('UpdateRunStep', payload, requests);
    });
  }

  /**
   * In a dry run, writes to a step or a field that this dry run did not create.
   * @throws IonError if ION's schema would refuse the mutation
   */
  async writeNotCreated(
    write: NotCreatedWrite,
    options: StepRequestOptions,
  ): Promise<WriteResult<unknown>> {
    return this.#run({}, options, async (requests) => {
      const { payload, name } = await writeToNotCreated(write, requests);
      return resultOf(name, payload, requests);
    });
  }

  /**
   * Attaches a file to a step.
   * @param earlier an earlier try, which may have succeeded
   * @throws IonError `ION_NOT_FOUND` for a step or a file that does not exist, `ION_RESPONSE` or
   * `ION_SERVER` if the storage host rejects the file, or the error of the request
   */
  async attach(
    target: Target,
    file: AttachmentFile,
    options: StepRequestOptions,
    earlier: EarlierTry & TryProgress = {},
  ): Promise<WriteResult<Attachment>> {
    return this.#run(target, options, async (requests) => {
      const { id } = await this.#steps.step(target, requests);
      const done = await this.#attachments.attachedEarlier(file, id, earlier, requests);
      if (done) return resultOf('CreateFileAttachment', done, requests);
      const step = await this.#steps.stepWith('entityId', 'attachments need', target, requests);
      const attached = await this.#attachments.attach(file, step.entityId, requests, earlier);
      return resultOf('CreateFileAttachment', attached, requests);
    });
  }

  /**
   * The ids of the attachments with this name on a step, for `EarlierTry.before`.
   * @throws IonError `ION_NOT_FOUND`, or the error of the request
   */
  async attachmentsOf(
    target: Target,
    filename: string,
    options: StepRequestOptions,
  ): Promise<number[]> {
    return this.#run(target, options, async (requests) => {
      const { id } = await this.#steps.step(target, requests);
      return (await this.#attachments.named(filename, id, requests)).map((each) => each.id);
    });
  }

  /** Adds the number of requests and the trace ID to an error that lacks them. */
  async #run<Result>(
    target: Target,
    options: StepRequestOptions,
    work: (requests: RequestScope) => Promise<Result>,
  ): Promise<Result> {
    const requests = new RequestScope(this.#requests, options);
    try {
      await this.#checkRun(target, options, requests);
      return await work(requests);
    } catch (thrown) {
      const error = toIonError(thrown);
      if (error.attempts > 0) throw error;
      const { attempts, traceId } = requests;
      // A copy, because several messages may wait for the same look-up.
      throw error.with({ attempts, traceId: error.traceId ?? traceId });
    }
  }

  /** @throws IonError `ION_NOT_FOUND` */
  async #checkRun(
    { run }: Target,
    { mayGoTo }: StepRequestOptions,
    requests: RequestScope,
  ): Promise<void> {
    if (!mayGoTo || !isGiven(run)) return;
    const found = await this.#steps.runOf({ run }, requests);
    if (mayGoTo(found)) return;
    throw notFound(
      `The run "${shown(run)}" was another one when the message was accepted: now run ${shown(found)} has this title or serial number. Nothing was written.`,
      { key: 'unknownRun', name: String(run) },
    );
  }

  /** Writes values after their steps were started, if the options ask for that. */
  #writeStarted<Payload>(
    target: Target,
    values: readonly (readonly [Target, unknown])[],
    options: ValueOptions,
    write: (requests: RequestScope) => Promise<WriteResult<Payload>>,
  ): Promise<WriteResult<Payload>> {
    return this.#run(target, options, async (requests) => {
      if (!options.startStep) {
        return write(requests).catch((thrown) => {
          throw withStartAdvice(thrown);
        });
      }
      const { onConflict, onStarted } = options;
      const retriesConflicts = onConflict === 'retry';
      const start = new StepStart({
        ...{ steps: this.#steps, status: this.#status },
        ...{ requests, retriesConflicts, onStarted },
      });
      const targets = await writableTargets(values, async (target, value) => {
        toFieldValue(await this.#steps.field(target, requests), value, this.#timeZone);
      });
      const result = await start.before(targets, () => write(requests));
      return start.isStarted ? { ...result, started: true } : result;
    });
  }

  #writeField(
    target: Target,
    value: unknown,
    { onConflict }: WriteOptions,
    requests: RequestScope,
  ): Promise<Written> {
    const field = {
      kind: 'field',
      find: () => this.#steps.field(target, requests),
      forget: (row: RunStepField) => this.#steps.forgetField(row),
      send: async (row: RunStepField) => {
        const input = {
          id: row.id,
          etag: row._etag,
          value: toFieldValue(row, value, this.#timeZone),
        };
        const { data, dryRun } = await requests.send(FIELD_MUTATION, { input });
        const written = data.updateRunStepFieldValue as { runStepField?: Written } | null;
        return dryRun ? unchanged(written?.runStepField, row) : written?.runStepField;
      },
    } as const;
    return this.#writes.write(field, onConflict === 'retry');
  }
}

function resultOf<Payload>(
  name: string,
  payload: Payload,
  { attempts, traceId, notSent }: RequestScope,
): WriteResult<Payload> {
  return { payload, name, attempts, traceId, ...(notSent && { notSent }) };
}
