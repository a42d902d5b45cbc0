import type { IonClient, IonResponse, RequestState } from '../client/client.js';
import {
  closedError,
  IonError,
  quote,
  reasonOf,
  toIonError,
  withSentence,
} from '../client/errors.js';
import { isOperationRejected } from '../client/failures/classify-failure.js';
import { type Operation, parseOperation, requiredVariables } from '../client/graphql/operation.js';
import { plainVariables } from '../client/graphql/variables.js';
import type { TraceContext } from '../client/http/trace-context.js';
import { abandonable } from '../client/support/abort-listeners.js';
import { describe } from '../client/support/describe.js';
import { isPlainObject } from '../client/support/json.js';
import type {
  DeliveryResult,
  DeliveryTry,
  EntryEdit,
  EntryKind,
  EntrySummary,
} from './entry-kind.js';
import { isNothing } from './is-nothing.js';
import { shownValue } from './shown-value.js';
import type { Entry, NewEntry } from './store/entries.js';

type Variables = Record<string, unknown> | undefined;

/** A mutation, with what its delivery needs. */
export interface GraphqlWrite {
  query: string;
  operationName: string;
  variables: Variables;
  /** Writes with the same key are delivered in order, those of `ion-step` with the ID of a run too. */
  orderKey: string;
  /** A query that is run before each try; empty for none. */
  prepare: string;
  /** JSONata that gives the variables to send; empty to send them as they are. */
  prepareVariables: string;
  /** JSONata that gives the result of an earlier try; empty if nothing can be found out. */
  alreadyDone: string;
}

export interface NewGraphqlWrite extends GraphqlWrite {
  /** The time after which it is rejected if it is still pending, in ms; 0 for no limit. */
  keepForMs: number;
  /** That of the message. */
  trace?: TraceContext | undefined;
}

export interface GraphqlEntry extends Entry {
  kind: typeof NAME;
  write: GraphqlWrite;
  /** Somebody retried it after a rejection, so that an earlier try may have been executed. */
  tried?: true;
}

/** The names that the expressions can use. */
interface ExpressionInput {
  variables: Variables;
  /** The response to `prepare`. */
  data: unknown;
  msg: unknown;
}

/**
 * Evaluates JSONata.
 * @param sender ID of the node whose context the expression may read
 * @throws any error
 */
export type Evaluate = (expression: string, input: object, sender: string) => Promise<unknown>;

const NAME = 'graphql';
/** Further tries at once if someone else changed the object after `prepare` read it. */
const MAX_CONFLICT_RETRIES = 3;
/** ION ends a request after 30 s (502). Until then it may still execute one whose connection broke. */
const MAX_EXECUTION_MS = 30_000;
/** A request that was queued for less time is not stored again when it is sent. */
const MIN_QUEUED_MS = 1000;

/** The entry for a write, to be added to an outbox. */
export function graphqlEntry({ keepForMs, trace, ...write }: NewGraphqlWrite): NewEntry {
  const own: Pick<GraphqlEntry, 'kind' | 'write' | 'keepForMs' | 'trace'> = { kind: NAME, write };
  if (trace) own.trace = trace;
  if (keepForMs > 0) own.keepForMs = Math.ceil(keepForMs);
  return { own };
}

/** Mutations of any kind. With `alreadyDone` they are executed once, otherwise at least once. */
export class GraphqlWrites implements EntryKind<GraphqlEntry> {
  readonly name = NAME;
  readonly #client: Pick<IonClient, 'request'>;
  readonly #evaluate: Evaluate;

  constructor(client: Pick<IonClient, 'request'>, evaluate: Evaluate) {
    this.#client = client;
    this.#evaluate = evaluate;
  }

  isValid(entry: Entry): entry is GraphqlEntry {
    const { write } = entry as Partial<GraphqlEntry>;
    if (!isPlainObject(write)) return false;
    const { variables, query, operationName, orderKey, ...rest } = write;
    const { prepare, prepareVariables, alreadyDone } = rest;
    const texts = [query, operationName, orderKey, prepare, prepareVariables, alreadyDone];
    const areTexts = texts.every((text) => typeof text === 'string');
    return areTexts && (variables === undefined || isPlainObject(variables));
  }

  orderKey({ write: { orderKey } }: GraphqlEntry): string {
    return orderKey;
  }

  async findOrderKey(entry: GraphqlEntry): Promise<string> {
    return this.orderKey(entry);
  }

  unknownOrderKey(entry: GraphqlEntry): string {
    return this.orderKey(entry);
  }

  async deliver(entry: GraphqlEntry, attempt: DeliveryTry): Promise<DeliveryResult> {
    const operation = parseOperation(entry.write.query, entry.write.operationName);
    let attempts = 0;
    try {
      for (let conflicts = 0; ; conflicts++) {
        const prepared = await this.#prepare(entry, attempt);
        attempts += prepared?.attempts ?? 0;
        const { variables } = entry.write;
        const input = { variables, data: prepared?.data, msg: entry.context };
        // A write that was sent may come back without `isRepeated`, if the disk failed afterwards.
        const wasSent = attempt.isRepeated || entry.tried || entry.sentAt !== undefined;
        const isRepeated = wasSent || conflicts > 0;
        const found = isRepeated ? await this.#findEarlierTry(entry, input, attempt) : undefined;
        if (found !== undefined) {
          const { name } = operation;
          return { payload: found, name, attempts, traceId: prepared?.traceId, found: true };
        }
        const toSend = declared(operation, await this.#variablesToSend(entry, input, attempt));
        const response = await this.#send(entry, operation, toSend, attempt).catch((thrown) => {
          const error = toIonError(thrown);
          if (!mayPrepareAgain(entry, error)) {
            throw withMissingVariables(error, entry, requiredVariables(operation), toSend);
          }
          attempts += error.attempts;
          // The next try of the outbox reads the object again, so that no conflict rejects the write.
          if (conflicts >= MAX_CONFLICT_RETRIES)
            throw error.with({ origin: 'service', attempts: 0 });
          return undefined;
        });
        if (!response) continue;
        const { data, traceId, extensions, dryRun } = response;
        attempts += response.attempts;
        const { name } = operation;
        const result = { payload: data, name, attempts, traceId, extensions };
        return dryRun ? { ...result, notSent: [dryRun] } : result;
      }
    } catch (thrown) {
      const error = toIonError(thrown);
      throw withEarlierTry(error.with({ attempts: attempts + error.attempts }), entry);
    }
  }

  restored(entry: GraphqlEntry): GraphqlEntry {
    return { ...entry, tried: true };
  }

  /** The order key and the expressions stay, also if they came from the old variables. */
  edit(entry: GraphqlEntry): EntryEdit {
    const { write } = entry;
    return {
      read: () => write.variables ?? {},
      replace(variables): GraphqlEntry {
        if (!isPlainObject(variables)) {
          const found = describe(variables);
          const text = `The variables must be an object such as { "id": 1 }, not ${found}.`;
          throw new IonError('ION_VARIABLES', text);
        }
        return { ...entry, write: { ...write, variables: plainVariables(variables) } };
      },
    };
  }

  /** The order key of a node that has none of its own is the ID of the node, its sender. */
  summary({ sender, write }: GraphqlEntry): EntrySummary {
    const { query, operationName, orderKey, variables } = write;
    return {
      action: NAME,
      target: {},
      operation: quote(nameOf(query, operationName)),
      ...(orderKey !== sender && { orderKey: quote(orderKey) }),
      value: shownValue(variables ?? {}),
    };
  }

  async #prepare(
    { write }: GraphqlEntry,
    { signal, sharesDocument, trace }: DeliveryTry,
  ): Promise<IonResponse | undefined> {
    if (write.prepare === '') return undefined;
    const operation = parseOperation(write.prepare);
    const variables = declared(operation, write.variables);
    const options = { variables, signal, isNew: false, sharesDocument, trace };
    return this.#client.request(operation, options).catch((thrown) => {
      const error = toIonError(thrown);
      throw error.with({ message: `The query of "Prepare" failed: ${error.message}` });
    });
  }

  /** @returns the result of an earlier try; `undefined` if ION has not executed one */
  async #findEarlierTry(
    entry: GraphqlEntry,
    input: ExpressionInput,
    { signal, save }: DeliveryTry,
  ): Promise<unknown> {
    const { alreadyDone } = entry.write;
    if (alreadyDone === '') return undefined;
    const found = await this.#valueOf('Already done', alreadyDone, { input, entry, signal });
    if (!isNothing(found)) return found;
    const { sentAt = 0 } = entry;
    const now = Date.now();
    if (sentAt > now) {
      // The clock was set back: the wait begins now, or it would last until the clock is there again.
      entry.sentAt = now;
      await save('now');
    }
    const waitMs = Math.min(sentAt, now) + MAX_EXECUTION_MS - now;
    if (waitMs <= 0) {
      delete entry.sentAt;
      return undefined;
    }
    const text =
      'ION may still be executing an earlier try of this write. The next try begins when that must have ended.';
    throw new IonError('ION_TIMEOUT', text, { transient: true, retryAfterMs: waitMs });
  }

  async #variablesToSend(
    entry: GraphqlEntry,
    input: ExpressionInput,
    { signal }: DeliveryTry,
  ): Promise<Variables> {
    const { prepareVariables, variables } = entry.write;
    if (prepareVariables === '') return variables;
    const from = { input, entry, signal };
    const value = await this.#valueOf('Variables to send', prepareVariables, from);
    if (isPlainObject(value)) return value;
    throw new IonError(
      'ION_VARIABLES',
      `The expression "Variables to send" must give an object such as { "id": 1 }, not ${describe(value)}.`,
    );
  }

  /** @throws IonError `ION_VARIABLES`, which rejects the write: sending it could execute it twice */
  async #valueOf(
    label: string,
    expression: string,
    { input, entry, signal }: { input: ExpressionInput; entry: GraphqlEntry; signal: AbortSignal },
  ): Promise<unknown> {
    try {
      // A function of the expression may never settle.
      return await abandonable(
        this.#evaluate(expression, input, entry.sender),
        signal,
        closedError,
      );
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const text = `The expression "${label}" failed: ${quote(reasonOf(thrown))}`;
      throw new IonError('ION_VARIABLES', text, { cause: thrown });
    }
  }

  async #send(
    entry: GraphqlEntry,
    operation: Operation,
    variables: Variables,
    { signal, sharesDocument, trace, origin, save }: DeliveryTry,
  ): Promise<IonResponse> {
    const before = entry.sentAt;
    entry.sentAt = Date.now();
    await save('now');
    const onState = (state: RequestState) => {
      if (state !== 'running' || Date.now() - (entry.sentAt ?? 0) < MIN_QUEUED_MS) return;
      // It was queued, or turned away, until now.
      entry.sentAt = Date.now();
      save('now').catch(() => {});
    };
    try {
      const common = { signal, isNew: false, sharesDocument, trace, origin };
      const options = { ...common, variables, onState };
      return await this.#client.request(operation, options);
    } catch (thrown) {
      const error = toIonError(thrown);
      const isRefused = isOperationRejected(error) && !error.mayHaveRun;
      // ION may have received it as late as now, such as after a long wait for a token.
      entry.sentAt = error.notRun || isRefused ? before : Date.now();
      const isTriedAgain = !isRefused || mayPrepareAgain(entry, error);
      // The next try reads the entry from the disk.
      if (isTriedAgain && !signal.aborted) await save('now');
      throw error;
    }
  }
}

/** Whether the object was changed after `prepare` read it. */
function mayPrepareAgain({ write }: GraphqlEntry, { code, mayHaveRun }: IonError): boolean {
  const isStale = code === 'ION_CONFLICT' && !mayHaveRun;
  return isStale && write.prepare !== '' && write.prepareVariables !== '';
}

/** ION's text names a variable, but not the expression that found no value for it. */
function withMissingVariables(
  error: IonError,
  { write }: GraphqlEntry,
  required: string[],
  sent: Variables,
): IonError {
  const missing = required
    .filter((name) => (sent?.[name] ?? null) === null)
    .map((name) => `$${name}`);
  const [name] = missing;
  if (!isOperationRejected(error) || write.prepareVariables === '' || !name) return error;
  const sentence = `The expression "Variables to send" gives no ${missing.join(', ')}. "Prepare" may have found nothing: check the IDs and keys in the variables.`;
  const reason = { key: 'noValue', name } as const;
  return error.with({ message: withSentence(error.message, sentence), reason });
}

/** An earlier try may have been executed, although this one was not. */
function withEarlierTry(error: IonError, { sentAt }: GraphqlEntry): IonError {
  if (error.mayHaveRun || sentAt === undefined) return error;
  const sentence = 'An earlier try may have been executed.';
  return error.with({ mayHaveRun: true, message: withSentence(error.message, sentence) });
}

/** The variables that an operation declares: ION rejects others. */
function declared({ definition }: Operation, variables: Variables): Variables {
  const names = (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  const given = names.filter((name) => variables && Object.hasOwn(variables, name));
  return Object.fromEntries(given.map((name) => [name, variables?.[name]]));
}

function nameOf(query: string, operationName: string): string {
  try {
    const { name, definition } = parseOperation(query, operationName);
    const [first] = definition.selectionSet.selections;
    return name ?? (first?.kind === 'Field' ? first.name.value : '');
  } catch {
    return operationName;
  }
}
