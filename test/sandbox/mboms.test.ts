import assert from 'node:assert/strict';
import { start, type TestSandbox } from './client.js';

const IMPORT = `mutation($input: CreateOrUpdateMultipleMBomsNotationInput!) {
  createOrUpdateMultipleMboms(input: $input) { errorMessages { rowId errorMsg } newMbomRowIds }
}`;
const ITEMS =
  'mbomItems { part { partNumber } quantity madeOnAssembly substitutes { part { partNumber } } }';

describe('sandbox: bills of material', () => {
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.close());

  /** `part: quantity` of the items of each version of a part's bill of material. */
  async function versions(partNumber: string): Promise<[number, string, string[]][]> {
    const { mboms } = await sandbox.ask(
      `query($filters: MBomsInputFilters) { mboms(filters: $filters) { edges { node { version status ${ITEMS} } } } }`,
      { filters: { part: { partNumber: { eq: partNumber } } } },
    );
    return mboms.edges.map(({ node }: { node: Mbom }) => [
      ...[node.version, node.status],
      node.mbomItems.map(({ part, quantity, madeOnAssembly, substitutes }) =>
        [
          `${part.partNumber}: ${quantity}`,
          ...(madeOnAssembly ? ['made on assembly'] : []),
          ...substitutes.map((each) => `or ${each.part.partNumber}`),
        ].join(', '),
      ),
    ]);
  }
  interface Mbom {
    version: number;
    status: string;
    mbomItems: {
      part: { partNumber: string };
      quantity: number;
      madeOnAssembly: boolean;
      substitutes: { part: { partNumber: string } }[];
    }[];
  }

  const importRows = async (input: object) =>
    (await sandbox.ask(IMPORT, { input })).createOrUpdateMultipleMboms;
  const part = (partNumber: string, quantity = 1, more: object = {}) => ({
    ...{ partNumber, revision: Number(partNumber.slice(-2)) < 7 ? 'A' : 'B', quantity },
    ...more,
  });

  it('are imported by level or by depth, with the same result', async () => {
    const parts = [
      part('EX-1005'),
      part('ex-1007', 2, { madeOnAssembly: true, substitutes: 'EX-1009[B];EX-1010' }),
      part('EX-1008', 3),
      part('EX-1011', 0.5),
    ];
    const inputs = [
      {
        importerType: 'LEVEL',
        levelInputs: ['1', '1.1', '1.1.1', '1.2'].map((level, i) => ({ level, ...parts[i] })),
      },
      {
        importerType: 'DEPTH',
        depthInputs: [1, 2, 3, 2].map((depth, i) => ({ depth, ...parts[i] })),
      },
    ];
    const items = ['EX-1007: 2, made on assembly, or EX-1009, or EX-1010', 'EX-1011: 0.5'];
    for (const [i, input] of inputs.entries()) {
      const { errorMessages, newMbomRowIds } = await importRows(input);
      assert.deepEqual(errorMessages, []);
      // The second import finds the drafts of the first.
      assert.equal(newMbomRowIds.length, i === 0 ? 2 : 0);
      assert.deepEqual(await versions('EX-1005'), [[1, 'DRAFT', items]]);
      assert.deepEqual(await versions('EX-1007'), [[1, 'DRAFT', ['EX-1008: 3']]]);
    }
  });

  it('get a new version if the latest one is no draft', async () => {
    const depthInputs = [
      { depth: 1, ...part('EX-1001') },
      { depth: 2, ...part('EX-1009', 7) },
    ];
    await importRows({ importerType: 'DEPTH', depthInputs });
    assert.deepEqual(await versions('EX-1001'), [
      [1, 'RELEASED', ['EX-1007: 4', 'EX-1008: 2']],
      [2, 'DRAFT', ['EX-1009: 7']],
    ]);
    // A version is the latest of its part, however many versions other parts have.
    await sandbox.ask('mutation { createMbom(input: { partId: 2 }) { mbom { id } } }');
    const { mboms } = await sandbox.ask('{ mboms { edges { node { isLatestVersion } } } }');
    assert.deepEqual(
      mboms.edges.map(({ node }: { node: { isLatestVersion: boolean } }) => node.isLatestVersion),
      [false, true, true],
    );
  });

  it('are not changed by an import with an error, which names its row', async () => {
    const depthInputs = [
      { depth: 1, ...part('EX-1005') },
      { depth: 2, ...part('EX-9999') },
      { depth: 4, ...part('EX-1008') },
      { depth: 2, ...part('EX-1009', 1, { substitutes: 'EX-1010[Z]' }) },
    ];
    const { errorMessages, newMbomRowIds } = await importRows({
      importerType: 'DEPTH',
      depthInputs,
    });
    assert.deepEqual(newMbomRowIds, []);
    assert.deepEqual(
      errorMessages.map((each: { rowId: number }) => each.rowId),
      [2, 3, 4],
    );
    assert.match(errorMessages[0].errorMsg, /EX-9999/);
    assert.deepEqual(await versions('EX-1005'), []);
  });

  it('take an item of a part by the ID of its parent part, once', async () => {
    const text =
      'mutation { createMbomItem(input: { partId: 7, parentId: 4, quantity: 2 }) { mbomItem { parentId parent { partNumber } } } }';
    const { createMbomItem } = await sandbox.ask(text);
    assert.deepEqual(createMbomItem.mbomItem, { parentId: 4, parent: { partNumber: 'EX-1004' } });
    assert.deepEqual(await versions('EX-1004'), [[1, 'DRAFT', ['EX-1007: 2']]]);
    assert.match(await sandbox.refusal(text), /not unique/);
    const lost =
      'mutation { createMbomItem(input: { partId: 7, quantity: 2 }) { mbomItem { id } } }';
    assert.match(await sandbox.refusal(lost), /mbomId or a parentId/);
  });
});
