import { closedError, type IonErrorCode, toIonError, withSentence } from '../errors.js';
import type { TraceContext } from '../http/trace-context.js';
import { abandonable } from '../support/abort-listeners.js';
import { type DryRunRequest, type Mask, withoutSecretValues } from './dry-run-request.js';
import {
  ApiFailure,
  GraphqlApi,
  type GraphqlApiOptions,
  type RequestProgress,
} from './graphql-api.js';
import { introspectionOperation } from './introspection.js';
import { IonSchema } from './ion-schema.js';
import { Kind } from './language.js';
import { readMembersResponse } from './members-response.js';
import { type Operation, parseOperation } from './operation.js';
import { requestBody } from './request-body.js';
import { type GraphqlResponse, readResponse } from './response.js';
import { skeletonOf } from './skeleton.js';

/** `dryRun`: queries are sent, mutations are checked, and answered here. */
export type Mode = 'live' | 'dryRun';

/** Sends the operations of a client to ION, or answers them in its place. */
export type Api = Pick<GraphqlApi, 'send' | 'authScheme'>;

/** Called with each mutation that ION would have got. It must not throw. */
export type NotSentListener = (request: DryRunRequest, operation: Operation) => void;

interface Settings {
  authScheme?: GraphqlApiOptions['authScheme'] | undefined;
  mode?: Mode | undefined;
  onNotSent?: NotSentListener | undefined;
}

interface DryRunOptions {
  mask: Mask;
  /** Aborts when the client closes. */
  signal: AbortSignal;
}

/** A schema that could not be read is asked for again after this time. */
const READ_AGAIN_MS = 5 * 60_000;
/** With these failures ION would not have answered the mutation either. */
const NO_ANSWER: ReadonlySet<IonErrorCode> = new Set([
  'ION_AUTH',
  'ION_CLOSED',
  'ION_CONFIG',
  'ION_NETWORK',
]);
const ANSWER = { status: 200, headers: {}, text: '' };
const NOT_SENT = 'This was a dry run: the mutation was checked here, and not sent.';

/** The API of a client. In a dry run, no mutation reaches ION through it. */
export function apiFor(
  { authScheme = 'auto', mode, onNotSent }: Settings,
  options: Omit<GraphqlApiOptions, 'authScheme'>,
  dryRun: DryRunOptions,
): Api {
  const api = new GraphqlApi({ ...options, authScheme });
  if (mode !== 'dryRun') return api;
  return new DryRunApi(api, options.url.host, { ...dryRun, onNotSent });
}

/**
 * Stands between a client and ION, so that nothing can send a mutation past it. A mutation is
 * checked against ION's schema, if that can be read, and fails as it would in ION; otherwise its
 * answer has the shape of ION's.
 */
class DryRunApi implements Api {
  readonly #api: Api;
  readonly #host: string;
  readonly #options: DryRunOptions & Pick<Settings, 'onNotSent'>;
  #schema: IonSchema | undefined;
  #reading: Promise<ApiFailure | undefined> | undefined;
  /** By the monotonic clock, in ms. */
  #readAgainAt = 0;

  constructor(api: Api, host: string, options: DryRunOptions & Pick<Settings, 'onNotSent'>) {
    this.#api = api;
    this.#host = host;
    this.#options = options;
  }

  get authScheme(): Api['authScheme'] {
    return this.#api.authScheme;
  }

  async send(
    operation: Operation,
    body: string,
    signal: AbortSignal,
    progress: RequestProgress,
    trace?: TraceContext,
  ): Promise<GraphqlResponse | ApiFailure> {
    if (!mayMutate(operation)) return this.#api.send(operation, body, signal, progress, trace);
    if (signal.aborted) throw closedError();
    const failure = await this.#requireSchema(signal, progress);
    if (failure) return failure;
    const request = JSON.parse(body) as DryRunRequest;
    const { mask, onNotSent } = this.#options;
    try {
      const read = operation.members ? readMembersResponse : readResponse;
      // Without the parts that ION lacks.
      const sent = parseOperation(request.query, request.operationName);
      const problems = this.#schema?.problemsOf(sent, request.variables);
      const body = this.#answer(sent, request.variables, problems);
      const response = read(ANSWER, this.#host, body, { operation });
      const shown = withoutSecretValues(request, mask);
      response.dryRun = problems ? shown : { ...shown, unchecked: true };
      onNotSent?.(response.dryRun, sent);
      return response;
    } catch (thrown) {
      const error = toIonError(thrown);
      const message = withSentence(error.message, NOT_SENT);
      return new ApiFailure(error.with({ message, dryRun: true }));
    }
  }

  /** The answer that ION would give to a mutation, as far as its schema says. */
  #answer(
    sent: Operation,
    variables: DryRunRequest['variables'],
    problems: readonly string[] = [],
  ): object {
    if (problems.length > 0) return { errors: problems.map((message) => ({ message })) };
    return { data: skeletonOf(sent, variables, this.#schema) };
  }

  /**
   * Reads ION's schema once. A mutation is not checked against a schema that cannot be read.
   * @returns the failure if ION would not answer a mutation either
   */
  async #requireSchema(
    signal: AbortSignal,
    { tokens }: RequestProgress,
  ): Promise<ApiFailure | undefined> {
    if (this.#schema || performance.now() < this.#readAgainAt) return undefined;
    this.#reading ??= this.#readSchema(tokens).finally(() => {
      this.#reading = undefined;
    });
    return abandonable(this.#reading, signal, closedError);
  }

  async #readSchema(tokens: Set<string>): Promise<ApiFailure | undefined> {
    const operation = introspectionOperation();
    const body = requestBody(operation, { text: operation.text, variables: undefined });
    // Not the signal of one request, because others wait for the same schema.
    const { signal } = this.#options;
    const result = await this.#api.send(operation, body, signal, { attempts: 0, tokens });
    if (result instanceof ApiFailure && NO_ANSWER.has(result.error.code)) {
      const failure = new ApiFailure(
        result.error.with({ mayHaveRun: false, notRun: true, dryRun: true }),
      );
      failure.waitsForToken = result.waitsForToken;
      return failure;
    }
    try {
      if (!(result instanceof ApiFailure)) this.#schema = new IonSchema(result.data);
    } catch {
      // A schema that is too large, or none.
    }
    this.#readAgainAt = performance.now() + READ_AGAIN_MS;
    return undefined;
  }
}

/** A server may take a mutation with the same name in the document for the operation to run. */
function mayMutate({ kind, name, document }: Operation): boolean {
  if (kind === 'mutation') return true;
  return document.definitions.some(
    (each) =>
      each.kind === Kind.OPERATION_DEFINITION &&
      each.operation === 'mutation' &&
      each.name?.value === name,
  );
}
