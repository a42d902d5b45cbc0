import type { IonClient, IonResponse, RequestOptions } from '../client.js';
import { IonError, type IonErrorCode, toIonError } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';
import { lacksIn } from '../graphql/lacks.js';
import type { LoggedMutation } from '../graphql/mutation-log.js';
import { type Operation, parseOperation } from '../graphql/operation.js';
import type { MemberOutcomes } from '../graphql/response.js';
import type { BatchSize } from './batch-size.js';
import type { BatchedRequest } from './batched-request.js';
import { type Mergeable, mergeable } from './mergeable.js';
import { SentDocument } from './sent-document.js';
import { namedMembers, sharedOperation, sharedVariables } from './shared-operation.js';

interface Settings {
  client: Pick<IonClient, 'request' | 'adapted'>;
  size: BatchSize;
  /** A document has to wait for other requests of the client, or no longer. */
  onQueued(isQueued: boolean): void;
}

/** Evidence of a document about the number of operations that ION accepts. */
interface Verdict {
  /** Whether an operation was refused, or failed, also in a document of its own. */
  hasFault: boolean;
  /** Operations in the largest document that ION accepted. */
  accepted: number;
}

interface Member {
  request: BatchedRequest;
  member: Mergeable;
  variables: RequestOptions['variables'];
}

const NOTHING: Verdict = { hasFault: false, accepted: 0 };
/** Failures that are never due to one operation of a document. */
const SHARED_CODES: ReadonlySet<IonErrorCode> = new Set([
  'ION_AUTH',
  'ION_CLOSED',
  'ION_CONFIG',
  'ION_OVERLOADED',
  'ION_RATE_LIMITED',
]);

/** Sends operations of one kind in a shared document, and settles each of them. */
export class BatchSender {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Sends one document, or several if ION refuses it. Failures go to the requests, which have the
   * same trace.
   */
  async send(requests: readonly BatchedRequest[], hasLearnt = false): Promise<Verdict> {
    const present = requests.filter(({ isAbandoned }) => !isAbandoned);
    const [first] = present;
    if (!first) return NOTHING;
    if (present.length === 1) return this.#sendAlone(first);
    const members = present.map((request) => this.#memberOf(request));
    if (!members.every((each) => each !== undefined)) return this.#sendEachAlone(present);

    const operation = sharedOperation(members.map(({ member }) => member));
    const variables = sharedVariables(members.map((each) => each.variables));
    const document = new SentDocument(present, this.#settings.onQueued);
    const { size } = this.#settings;
    const onRetry = (error: IonError): undefined => {
      // A query that may be the reason gets its own tries.
      if (operation.kind === 'query' && mayBeOfOne(error)) throw error;
    };
    let response: IonResponse;
    try {
      const parts = operation.kind === 'mutation' ? members.map(partOf) : undefined;
      response = await this.#request(document, operation, { variables, parts, onRetry });
    } catch (thrown) {
      const error = toIonError(thrown);
      if (isUnanswered(error)) size.failed(present.length);
      if (isRefused(error)) return this.#split(present, error, hasLearnt);
      if (operation.kind === 'query' && mayBeOfOne(error)) {
        for (const request of present) request.attempts += error.attempts;
        return this.#sendEachAlone(present);
      }
      for (const request of present) request.reject(error);
      return { hasFault: true, accepted: 0 };
    }
    size.answered(present.length, document.ms);
    await this.#settle(present, response, response.members);
    return { hasFault: false, accepted: present.length };
  }

  /** The operation without the parts that ION is known to lack. */
  #memberOf(request: BatchedRequest): Member | undefined {
    const adapted = this.#settings.client.adapted(request.operation, request.variables);
    const { text, variables, leftOut } = adapted;
    const operation = leftOut.size === 0 ? request.operation : parseOperation(text);
    const member = mergeable(operation);
    return member && { request, member, variables };
  }

  async #request(
    document: SentDocument,
    operation: Operation,
    more: Pick<RequestOptions, 'variables' | 'origin' | 'parts'> & {
      onRetry?: NonNullable<RequestOptions['onRetry']>;
    },
  ): Promise<IonResponse> {
    const { signal, onState, trace } = document;
    const options = { signal, onState, isNew: false, trace, ...more };
    try {
      return await this.#settings.client.request(operation, options);
    } finally {
      document.end();
    }
  }

  async #sendAlone(request: BatchedRequest): Promise<Verdict> {
    const { size, onQueued } = this.#settings;
    const { operation, variables, origin } = request;
    const document = new SentDocument([request], onQueued);
    try {
      const response = await this.#request(document, operation, { variables, origin });
      size.answered(1, document.ms);
      request.resolve(response);
      return { hasFault: false, accepted: 1 };
    } catch (thrown) {
      const error = toIonError(thrown);
      if (isUnanswered(error)) size.failed(1);
      request.reject(error);
      return { hasFault: !wasExecuted(error), accepted: 1 };
    }
  }

  async #sendEachAlone(requests: readonly BatchedRequest[]): Promise<Verdict> {
    return combined(await Promise.all(requests.map((request) => this.send([request]))));
  }

  async #settle(
    requests: readonly BatchedRequest[],
    response: IonResponse,
    members: MemberOutcomes | undefined,
  ): Promise<void> {
    if (!members?.areErrorsPlaced) this.#settings.size.limit(1);
    const again: BatchedRequest[] = [];
    const { attempts } = response;
    for (const [index, request] of requests.entries()) {
      const outcome = members?.outcomes[index] ?? unreadable();
      if (!(outcome instanceof IonError)) request.resolve({ ...outcome, attempts });
      else if (isRepeatedAlone(request.operation, outcome)) again.push(request);
      else request.reject(outcome);
    }
    for (const request of again) request.attempts += attempts;
    await this.#sendEachAlone(again);
  }

  /** ION refused the document before it executed anything, perhaps for one of its operations. */
  async #split(
    requests: readonly BatchedRequest[],
    error: IonError,
    hasLearnt: boolean,
  ): Promise<Verdict> {
    for (const request of requests) request.attempts += error.attempts;
    const hasWishes = requests.some(({ operation }) => operation.wishes !== undefined);
    if (lacksIn(error).length > 0 && hasWishes && !hasLearnt) {
      const { firsts, others } = firstOfEach(requests);
      // The client finds out what ION's schema lacks, and the others do without that.
      await this.#sendEachAlone(firsts);
      await this.send(others, true);
      return { hasFault: true, accepted: 0 };
    }
    const groups = groupsOf(requests, error);
    const verdict = combined(await Promise.all(groups.map((each) => this.send(each, hasLearnt))));
    if (!verdict.hasFault) this.#settings.size.limit(verdict.accepted);
    return verdict;
  }
}

/** A mutation of a shared document for the log. */
function partOf({ request: { operation, origin }, variables }: Member): LoggedMutation {
  return { operation, variables, origin };
}

function combined(verdicts: readonly Verdict[]): Verdict {
  return {
    hasFault: verdicts.some(({ hasFault }) => hasFault),
    accepted: Math.max(0, ...verdicts.map(({ accepted }) => accepted)),
  };
}

/** The first request with each operation, and the others. */
function firstOfEach(
  requests: readonly BatchedRequest[],
): Record<'firsts' | 'others', BatchedRequest[]> {
  const seen = new Set<Operation>();
  const firsts: BatchedRequest[] = [];
  const others: BatchedRequest[] = [];
  for (const request of requests) {
    (seen.has(request.operation) ? others : firsts).push(request);
    seen.add(request.operation);
  }
  return { firsts, others };
}

/** The operations that ION's texts name, and the others; two halves if it names none. */
function groupsOf(
  requests: readonly BatchedRequest[],
  { errors = [] }: IonError,
): BatchedRequest[][] {
  const named = namedMembers(errors.map(({ message }) => message).join('\n'));
  const found = requests.filter((_, index) => named.has(index));
  const others = requests.filter((_, index) => !named.has(index));
  if (found.length > 0 && others.length > 0) return [...found.map((each) => [each]), others];
  const half = Math.ceil(requests.length / 2);
  return [requests.slice(0, half), requests.slice(half)];
}

/** Whether the document, or the request, was refused before anything was executed. */
function isRefused({ origin, notRun, status }: IonError): boolean {
  return (origin === 'operation' && notRun) || (origin === 'gateway' && status === 413);
}

/** Whether ION accepted the document, and rejected the operation in it. */
function wasExecuted({ origin, data, errors }: IonError): boolean {
  return origin === 'operation' && (data !== undefined || (errors?.some(hasPath) ?? false));
}

/** Whether ION's API did not answer. */
function isUnanswered({ code, notRun }: IonError): boolean {
  return code === 'ION_TIMEOUT' || code === 'ION_SERVER' || (code === 'ION_NETWORK' && !notRun);
}

/** Whether a single operation may be the reason why a whole document failed. */
function mayBeOfOne({ code, notRun }: IonError): boolean {
  return !notRun && !SHARED_CODES.has(code);
}

/** Whether the client would have repeated the operation if it had had a document of its own. */
function isRepeatedAlone({ kind }: Operation, { code, transient, notRun }: IonError): boolean {
  return (kind === 'query' && transient) || (code === 'ION_AUTH' && notRun);
}

function unreadable(): IonError {
  return new IonError('ION_RESPONSE', 'The response holds no outcome of this operation.', {
    mayHaveRun: true,
  });
}
