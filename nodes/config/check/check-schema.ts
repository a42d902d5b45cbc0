// ION's schema, and the operations of the deployed nodes against it.
import type { IonClient } from '../../client/client.js';
import { quote, toIonError } from '../../client/errors.js';
import { introspectionOperation } from '../../client/graphql/introspection.js';
import { IonSchema } from '../../client/graphql/ion-schema.js';
import type { Lack } from '../../client/graphql/lacks.js';
import type { ConfigUser } from '../node-work.js';
import {
  type CheckLine,
  failed,
  incomplete,
  isRefused,
  notChecked,
  ok,
  reasonValues,
  unknown,
} from './check-line.js';
import type { DescribedUser } from './described-users.js';

/** Missing parts that one line names. */
const MAX_PARTS = 20;

/**
 * @param learned parts that the deployed client already had to leave out
 */
export async function checkSchema(
  client: IonClient,
  users: readonly DescribedUser[],
  learned: readonly Lack[],
  signal: AbortSignal,
): Promise<CheckLine[]> {
  let schema: IonSchema;
  try {
    const { data } = await client.request(introspectionOperation(), { signal });
    schema = new IonSchema(data);
  } catch (thrown) {
    const error = toIonError(thrown);
    const isHidden = error.code === 'ION_GRAPHQL' || isRefused(error);
    const details = { values: reasonValues(error), advice: 'schema.refused' };
    const line = isHidden
      ? unknown('schema', 'schema.refused', details)
      : incomplete('schema', error);
    return [
      line,
      ...unusable(users),
      ...notChecked(['operations'], 'schema'),
      // Without a schema, only parts are known that ION refused.
      learned.length > 0
        ? partsLine(learned)
        : unknown('parts', 'any.notChecked', { values: { because: 'schema' } }),
    ];
  }
  const { lines, lacks } = checkOperations(schema, users);
  return [ok('schema', 'schema.read'), ...lines, partsLine([...lacks, ...learned])];
}

/** Nodes whose properties cannot work. */
function unusable(users: readonly DescribedUser[]): CheckLine[] {
  return users.flatMap(({ user, error }) =>
    error
      ? failed('operations', 'operations.unusable', { values: reasonValues(error), nodes: [user] })
      : [],
  );
}

function checkOperations(
  schema: IonSchema,
  users: readonly DescribedUser[],
): { lines: CheckLine[]; lacks: Lack[] } {
  const lines = unusable(users);
  const lacks: Lack[] = [];
  const valid: ConfigUser[] = [];
  const tooLong: ConfigUser[] = [];
  for (const { user, work } of users) {
    const fits = (work?.operations ?? []).map((sent) => schema.fitOf(sent));
    const problems = new Set(fits.flatMap((fit) => fit?.problems ?? []));
    lacks.push(...fits.flatMap((fit) => fit?.lacks ?? []));
    const [problem] = problems;
    if (problem !== undefined) {
      const values = { problem: quote(problem), more: problems.size - 1 };
      const finding = problems.size > 1 ? 'operations.severalInvalid' : 'operations.invalid';
      const details = { values, nodes: [user], advice: 'operations.correct' };
      lines.push(failed('operations', finding, details));
    } else if (fits.includes(undefined)) tooLong.push(user);
    else if (fits.length > 0) valid.push(user);
  }
  const open = users.flatMap(({ user, work }) => (work?.isOpen ? user : []));
  if (open.length > 0) lines.push(unknown('operations', 'operations.open', { nodes: open }));
  if (tooLong.length > 0) {
    lines.push(unknown('operations', 'operations.tooLong', { nodes: tooLong }));
  }
  const count = valid.length;
  if (count > 0) lines.push(ok('operations', 'operations.valid', { values: { count } }));
  if (lines.length === 0) lines.push(ok('operations', 'operations.none'));
  return { lines, lacks };
}

function partsLine(lacks: readonly Lack[]): CheckLine {
  const names = [...new Set(lacks.map(nameOf))].sort();
  if (names.length === 0) return ok('parts', 'parts.complete');
  const more = names.length > MAX_PARTS ? ', …' : '';
  const values = { parts: names.slice(0, MAX_PARTS).join(', ') + more };
  return ok('parts', 'parts.lacking', { values, advice: 'parts.leftOut' });
}

function nameOf({ type, field }: Lack): string {
  return quote(type === undefined ? field : `${type}.${field}`);
}
