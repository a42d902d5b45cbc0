import assert from 'node:assert/strict';
import { type GraphQLAnswer, start, type TestSandbox } from './client.js';

describe('sandbox: numbers as text', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  after(() => sandbox.close());

  const CREATE = `mutation ($input: CreatePartInventoryInput!) {
    createPartInventory(input: $input) { partInventory { quantity serialNumber } } }`;
  const create = (quantity: unknown, serialNumber = 'SN-EX') =>
    sandbox.run(CREATE, { input: { partId: '1', quantity, serialNumber } });

  it('are taken for numbers, as First Resonance sends them', async () => {
    const { data } = await create('5.5');
    assert.deepEqual(data.createPartInventory.partInventory, {
      quantity: 5.5,
      serialNumber: 'SN-EX',
    });
  });

  it('stay texts where a text is wanted', async () => {
    const { data } = await create(1, '0042');
    assert.equal(data.createPartInventory.partInventory.serialNumber, '0042');
  });

  it('are taken for numbers at any depth', async () => {
    const query = `query ($first: Int, $filters: RunsInputFilters) {
      runs(first: $first, filters: $filters) { edges { node { id } } } }`;
    const filters = { and_: [{ quantity: { in: ['1', 2] } }] };
    const { data } = await sandbox.run(query, { first: '2', filters });
    assert.equal(data.runs.edges.length, 2);
  });

  for (const value of ['five', '', '5,5', ' ']) {
    it(`are refused if they are "${value}"`, async () => {
      const { errors } = await create(value);
      assert.match(String(errors?.[0]?.message), /got invalid value|Float cannot represent/);
    });
  }

  it('are refused in a strict dialect', async () => {
    sandbox.control.set({ coercion: 'strict' });
    try {
      const { errors } = await create('5.5');
      assert.match(String(errors?.[0]?.message), /Float cannot represent non numeric value/);
    } finally {
      sandbox.control.set({ coercion: 'lenient' });
    }
  });
});

describe('sandbox: several operations in one request', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  after(() => sandbox.close());

  const CREATE = `mutation ($title: String) { createRun(input: { title: $title }) {
    run { title } } }`;
  const OPERATIONS = [
    { query: CREATE, variables: { title: 'Batched' } },
    { query: '{ run(id: 1) { nothing } }' },
    { query: '{ runs(filters: { title: { eq: "Batched" } }) { edges { node { title } } } }' },
  ];
  const send = async () =>
    sandbox.post(JSON.stringify(OPERATIONS), { authorization: await sandbox.token() });

  it('are refused by default, and none of them runs', async () => {
    const response = await send();
    assert.equal(response.status, 400);
    assert.match(JSON.stringify(await response.json()), /Batching is not supported/);
    assert.deepEqual(sandbox.control.counters().executed, {});
  });

  it('are answered in their order if configured, each with its own data or errors', async () => {
    sandbox.control.set({ arrayBatching: true });
    const response = await send();
    assert.equal(response.status, 200);
    const [created, failed, found] = (await response.json()) as GraphQLAnswer[];
    assert.deepEqual(created, { data: { createRun: { run: { title: 'Batched' } } } });
    assert.match(String(failed?.errors?.[0]?.message), /Cannot query field/);
    assert.equal(found?.data.runs.edges.length, 1);
  });
});
