import { IonError, quote, toIonError } from '../errors.js';
import { hasPath, isOfValidation } from '../failures/classify-failure.js';
import type { HttpResponse } from '../http/transport.js';
import { isPlainObject, setProperty } from '../support/json.js';
import type { MemberOperation, Operation } from './operation.js';
import {
  type GraphqlResponse,
  type MemberOutcome,
  readResponse,
  type SentRequest,
} from './response.js';

/** The part of a response that belongs to one of the operations. */
interface Share {
  data: Record<string, unknown>;
  errors: unknown[];
}

/** Statuses of requests that ION did not process; see `classifyApiFailure`. */
const TURNED_AWAY: ReadonlySet<number> = new Set([408, 421, 425, 429, 503]);

interface Place {
  index: number;
  key: string;
}

/** Texts about the form of a document. */
const DOCUMENT =
  /\b(too complex|(query|document|operation) (complexity|cost|depth)|aliases|root fields?|too many (fields|operations|mutations|queries|tokens)|(several|multiple) (operations|mutations|queries)|batching)\b/i;

/**
 * Reads a response to operations that share a document. Each one has the outcome that it would have
 * had in a document of its own: `errors` belong to the operation that their path begins with.
 * - If an error has no place, the fate of the operations without a result is unknown. If there are
 *   more such errors than such operations, they belong to the others as well.
 * - If an error nulled the whole `data`, the fate of the operations that no error names is unknown,
 *   also of those behind it: GraphQL lets a server execute them.
 * @param body its JSON, from `readBody`
 * @throws IonError if the whole document failed; `notRun` if ION refused it before it executed anything
 */
export function readMembersResponse(
  response: HttpResponse,
  host: string,
  body: unknown,
  request: SentRequest & { operation: Operation },
): GraphqlResponse {
  const { members = [] } = request.operation;
  const failed = failureOf(() => readResponse(response, host, body, request));
  const places = placesOf(members);
  if (failed && !namesMember(body, places)) {
    if (isRequestError(failed, body)) throw failed.with({ notRun: true });
    if (isOfField(failed)) throw failed.with({ notRun: false, mayHaveRun: true });
    if (failed.origin !== 'operation') throw failed;
  }

  const { data, errors, extensions } = body as Record<string, unknown>;
  const shares = members.map((): Share => ({ data: {}, errors: [] }));
  const unplaced: unknown[] = [];
  for (const [alias, value] of Object.entries(isPlainObject(data) ? data : {})) {
    const place = places.get(alias);
    const share = place && shares[place.index];
    if (share) setProperty(share.data, place.key, value);
  }
  for (const error of Array.isArray(errors) ? errors : []) {
    const place = placeOf(error, places);
    const share = place && shares[place.index];
    if (share) share.errors.push(atPlace(error, place));
    else unplaced.push(error);
  }

  const hasErrors = shares.some((share) => share.errors.length > 0) || unplaced.length > 0;
  const unknown = unknownFate(response, failed, unplaced);
  const without = isPlainObject(data) ? shares.filter(isWithoutResult) : [];
  const outcomes = shares.map((share, index): MemberOutcome => {
    const { operation } = members[index] as MemberOperation;
    const own = [...share.errors];
    // A query can be repeated, which shows the data that another one nulled.
    if (!isPlainObject(data) && (own.length === 0 || operation.kind === 'query')) return unknown;
    if (own.length === 0) {
      const isWithout = without.includes(share);
      const isConcerned = unplaced.length > (isWithout ? 0 : without.length);
      // A mutation with a result was executed.
      if (isConcerned && (isWithout || operation.kind === 'query')) return unknown;
      if (isConcerned) own.push(...unplaced);
    }
    // The status belongs to the operations that failed; to all if there are no errors.
    const isFailed = own.length > 0 || !hasErrors;
    const status = isFailed ? response.status : 200;
    const ownBody = { data: isPlainObject(data) ? share.data : null, extensions };
    return outcomeOf(() =>
      readResponse(
        { ...response, status },
        host,
        own.length > 0 ? { ...ownBody, errors: own } : ownBody,
        { ...request, operation },
      ),
    );
  });
  return {
    ...outcomes.find((each): each is GraphqlResponse => !(each instanceof IonError)),
    data: {},
    members: { outcomes, areErrorsPlaced: unplaced.length === 0 && isPlainObject(data) },
  };
}

function placesOf(members: readonly MemberOperation[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [index, { keys }] of members.entries()) {
    for (const [alias, key] of keys) places.set(alias, { index, key });
  }
  return places;
}

/** Whether a response names at least one operation, in its data or in the path of an error. */
function namesMember(body: unknown, places: ReadonlyMap<string, Place>): boolean {
  if (!isPlainObject(body)) return false;
  const { data, errors } = body;
  const inData = isPlainObject(data) && Object.keys(data).some((alias) => places.has(alias));
  return inData || (Array.isArray(errors) && errors.some((error) => placeOf(error, places)));
}

function placeOf(error: unknown, places: ReadonlyMap<string, Place>): Place | undefined {
  if (!isPlainObject(error) || !Array.isArray(error.path)) return undefined;
  const [alias] = error.path;
  return typeof alias === 'string' ? places.get(alias) : undefined;
}

/** The error as the operation alone would have had it, without positions in the shared document. */
function atPlace(error: unknown, { key }: Place): unknown {
  const { locations, ...rest } = error as { locations?: unknown; path: unknown[] };
  return { ...rest, path: [key, ...rest.path.slice(1)] };
}

function isWithoutResult({ data, errors }: Share): boolean {
  const values = Object.values(data);
  return errors.length === 0 && (values.length === 0 || values.includes(null));
}

/** The outcome of an operation that may have been executed, and may have been refused. */
function unknownFate(
  { status }: HttpResponse,
  failed: IonError | undefined,
  unplaced: readonly unknown[],
): IonError {
  // An error of another operation is not quoted, because it belongs to another message.
  const [first] = unplaced;
  const text = isPlainObject(first) && typeof first.message === 'string' ? first.message : '';
  const quoted = text === '' ? '' : `: "${quote(text)}"`;
  return new IonError(
    'ION_RESPONSE',
    `ION returned no result for this operation, because another one in the same request may have failed${quoted}.`,
    { origin: 'service', transient: true, mayHaveRun: true, status, traceId: failed?.traceId },
  );
}

/**
 * Whether ION refused the document before it executed anything. By GraphQL's rules, a response
 * without `data` shows that, but ION may reduce the failure of a field to its text. So the text has to
 * show it, or HTTP 403, with which ION refuses a mutation that is not permitted.
 */
function isRequestError(error: IonError, body: unknown): boolean {
  const { code, status, origin, mayHaveRun, errors = [] } = error;
  if (origin !== 'operation' || mayHaveRun || errors.some(hasPath)) return false;
  if (code === 'ION_GRAPHQL' && errors.every(isOfValidation)) return true;
  if (!isPlainObject(body) || Object.hasOwn(body, 'data')) return false;
  if (code === 'ION_FORBIDDEN') return status === 403;
  return code === 'ION_GRAPHQL' && errors.every(({ message }) => DOCUMENT.test(message));
}

/** Whether a field may have failed whose path ION does not name: others have run before it. */
function isOfField({ code, status = 0, notRun }: IonError): boolean {
  return code === 'ION_SERVER' && notRun && !TURNED_AWAY.has(status);
}

function outcomeOf(read: () => GraphqlResponse): MemberOutcome {
  try {
    return read();
  } catch (thrown) {
    return toIonError(thrown);
  }
}

function failureOf(read: () => GraphqlResponse): IonError | undefined {
  const outcome = outcomeOf(read);
  return outcome instanceof IonError ? outcome : undefined;
}
