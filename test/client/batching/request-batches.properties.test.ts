import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OperationsPerRequest } from '../../../nodes/client/batching/batch-size.js';
import { RequestBatches } from '../../../nodes/client/batching/request-batches.js';
import type { IonClient, IonResponse } from '../../../nodes/client/client.js';
import { IonError } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { withoutPauses } from '../../support/pauses.js';
import {
  type Reading,
  type RequestFault,
  SharedDocumentServer,
  USUAL,
} from '../../support/shared-documents.js';

const ACT = `mutation Act($key: ID!, $behave: String, $number: Int) {
  act(key: $key, behave: $behave, number: $number) { key note }
}`;
const MUST = ACT.replaceAll('act(', 'mustAct(');
const TWO = `mutation ($key: ID!, $behave: String) {
  one: act(key: $key) { key } two: act(key: $key, behave: $behave) { ...D }
}
fragment D on Done { key note }`;
const THING = `query Thing($id: ID!, $behave: String) {
  thing(id: $id, behave: $behave) { id name broken inner { id } }
}`;
const NEEDED = `query ($id: ID!, $behave: String) { ...Q } fragment Q on Query {
  must(id: $id, behave: $behave) { id broken }
}`;
const UNKNOWN_FIELD = 'mutation ($key: ID!) { act(key: $key) { key weight } }';

type Part = readonly [text: string, behave: string | undefined, number?: unknown];
type Outcome = IonResponse | IonError;

const BEHAVIOURS = [
  undefined,
  'null',
  'refuse',
  'conflict',
  'forbid',
  'deadlock',
  'token',
  'break inside',
];
const part: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom(ACT, ACT, THING, NEEDED, TWO),
      fc.constantFrom(...BEHAVIOURS),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(ACT, THING), fc.constant(undefined)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Part>([ACT, undefined, 'no number'], [UNKNOWN_FIELD, undefined]),
  },
);
const parts = fc.array(part, { minLength: 1, maxLength: 14 });
const operations = fc.constantFrom<OperationsPerRequest>('auto', 2, 3, 50);

describe('operations that share documents', () => {
  withoutPauses();
  let server: SharedDocumentServer;
  let client: IonClient;
  before(async () => {
    server = await SharedDocumentServer.start();
    client = server.client();
  });
  after(async () => {
    await client.close();
    await server.close();
  });
  beforeEach(() => {
    server.fault = () => 'none';
    server.reading = USUAL;
  });

  /** The outcomes of parts, and how often each was executed. */
  async function outcomesOf(given: readonly Part[], size: OperationsPerRequest) {
    server.executed.clear();
    server.documents.length = 0;
    const batches = new RequestBatches(client, size);
    const { signal } = new AbortController();
    const outcomes = await Promise.all(
      given.map(([text, behave, number], index): Promise<Outcome> => {
        const operation = parseOperation(text);
        const name = operation.kind === 'query' ? 'id' : 'key';
        const variables = {
          [name]: `k${index}`,
          ...(behave !== undefined && { behave }),
          ...(number !== undefined && { number }),
        };
        return batches
          .request(operation, { variables, signal, sharesDocument: true })
          .catch((thrown) => thrown as IonError);
      }),
    );
    const executed = given.map((_, index) => server.executed.get(`k${index}`) ?? 0);
    return { outcomes, executed };
  }

  /** The outcome as a caller sees it, without the parts that depend on the request. */
  function seen(outcome: Outcome): unknown {
    if (!(outcome instanceof IonError)) {
      const { data, extensions, traceId } = outcome;
      return { data, extensions, traceId };
    }
    const { code, message, status, data, origin, transient, mayHaveRun, notRun, traceId } = outcome;
    // Positions in a document are those of the document that was sent.
    const errors = outcome.errors?.map(({ locations, ...rest }) => rest);
    return { code, message, status, errors, data, origin, transient, mayHaveRun, notRun, traceId };
  }

  const isUnknown = (outcome: Outcome): outcome is IonError =>
    outcome instanceof IonError &&
    outcome.mayHaveRun &&
    outcome.transient &&
    outcome.origin === 'service';

  it('have the same outcomes as alone, and are executed as often', () =>
    fc.assert(
      fc.asyncProperty(parts, operations, async (given, size) => {
        const alone = await outcomesOf(given, 1);
        const together = await outcomesOf(given, size);
        assert.deepEqual(together.outcomes.map(seen), alone.outcomes.map(seen));
        assert.deepEqual(together.executed, alone.executed);
      }),
      { numRuns: 60 },
    ));

  const other: fc.Arbitrary<Reading> = fc.record({
    paths: fc.boolean(),
    status: fc.constantFrom(200, 400, 409, 422, 500),
    dropsData: fc.boolean(),
    maxFields: fc.constantFrom(1, 2, 3, 50),
  });
  // Only the auth layer refuses tokens, and the whole request with them.
  const isOfField = ([, behave]: Part) => behave !== 'token';
  const otherParts = fc.array(
    fc.oneof(part, fc.tuple(fc.constant(MUST), fc.constantFrom(...BEHAVIOURS))).filter(isOfField),
    { minLength: 1, maxLength: 14 },
  );

  it('are at least as careful as alone, however ION answers, and never executed more often', () =>
    fc.assert(
      fc.asyncProperty(otherParts, operations, other, async (given, size, reading) => {
        server.reading = reading;
        const alone = await outcomesOf(given, 1);
        const together = await outcomesOf(given, size);
        for (const [index, outcome] of together.outcomes.entries()) {
          const own = alone.outcomes[index] as Outcome;
          const executed = together.executed[index] ?? 0;
          const text = `${index}: ${JSON.stringify(given[index])}`;
          assert.ok(executed <= (alone.executed[index] ?? 0), text);
          // Without paths, nobody knows which operation failed.
          if (isUnknown(outcome)) continue;
          if (!reading.paths && outcome instanceof IonError && outcome.mayHaveRun) continue;
          // Its result counts, even if a part of it is null.
          if (!reading.paths && !(outcome instanceof IonError)) {
            assert.deepEqual(outcome.data, own.data, text);
            continue;
          }
          // Another operation may have nulled the data.
          const isNulled = outcome instanceof IonError && outcome.data === undefined;
          const expected =
            isNulled && own instanceof IonError ? own.with({ data: undefined }) : own;
          assert.deepEqual(seen(outcome), seen(expected), text);
        }
      }),
      { numRuns: 60 },
    ));

  const faults: RequestFault[] = [
    'reset before',
    'reset after',
    '502 before',
    '502 after',
    '503 later',
    '429',
    '403 of a firewall',
    'half after',
  ];

  it('are executed once at most, and say if they may have been, when whole requests fail', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom<Part>(
            [ACT, undefined],
            [ACT, 'refuse'],
            [TWO, undefined],
            [THING, undefined],
          ),
          {
            minLength: 2,
            maxLength: 20,
          },
        ),
        operations,
        fc.array(fc.constantFrom<RequestFault>('none', ...faults), { minLength: 1, maxLength: 8 }),
        async (given, size, sequence) => {
          server.fault = (count) => sequence[count - 1] ?? 'none';
          const { outcomes, executed } = await outcomesOf(given, size);
          for (const [index, outcome] of outcomes.entries()) {
            const [text] = given[index] as Part;
            const times = (executed[index] ?? 0) / (text === TWO ? 2 : 1);
            if (text === THING) continue;
            assert.ok(times <= 1, `executed ${times} times`);
            const failed = outcome instanceof IonError;
            assert.ok(!failed || times === 0 || outcome.mayHaveRun, String(outcome));
            assert.ok(failed || times === 1);
          }
        },
      ),
      { numRuns: 60 },
    ));
});
