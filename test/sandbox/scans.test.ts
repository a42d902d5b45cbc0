import assert from 'node:assert/strict';
import { addScanCases, type ScanCases } from '../../sandbox/data/scan-cases.js';
import { start, type TestSandbox } from './client.js';

const SCAN = `query ($barcode: String!) { scanBarcode(barcode: $barcode) { entities {
  id type
  partInventories { id serialNumber lotNumber part { partNumber } }
  locations { id name }
  partKits { id run { id } }
} } }`;

interface Found {
  id: number;
  type: string;
  partInventories: { id: number; serialNumber: string | null }[];
  locations: { id: number; name: string }[];
  partKits: { id: number }[];
}

describe('sandbox: scanned codes', () => {
  let sandbox: TestSandbox;
  let cases: ScanCases;
  before(async () => {
    sandbox = await start({ runs: 24 });
    cases = addScanCases(sandbox.data);
  });
  after(() => sandbox.close());

  const scan = async (barcode: string): Promise<Found[]> =>
    (await sandbox.ask(SCAN, { barcode })).scanBarcode.entities;

  /** The kind and the ID of each thing that was found. */
  const things = async (barcode: string) =>
    (await scan(barcode)).map(({ id, type, partInventories, locations, partKits }) => {
      const [own] = [...partInventories, ...locations, ...partKits];
      return [type, own?.id ?? Math.floor(id / 10)];
    });

  const CODES: [
    what: string,
    code: (all: ScanCases) => string,
    found: (all: ScanCases) => unknown,
  ][] = [
    [
      'the label of a unit',
      ({ started }) => started.units[0]?.code ?? '',
      ({ started }) => [['PARTS_INVENTORY', started.units[0]?.id]],
    ],
    [
      'the label of a station',
      ({ started }) => started.station?.code ?? '',
      ({ started }) => [['LOCATIONS', started.station?.id]],
    ],
    [
      'the label of a run',
      ({ longTitle }) => longTitle.runs[0]?.code ?? '',
      ({ longTitle }) => [['RUNS', longTitle.runs[0]?.id]],
    ],
    [
      'the label of a kit',
      ({ lot }) => lot.kit?.code ?? '',
      ({ lot }) => [['PARTS_KITS', lot.kit?.id]],
    ],
    [
      'a serial number that two units have',
      () => 'SN:SCAN-SHARED',
      ({ shared }) => shared.units.map(({ id }) => ['PARTS_INVENTORY', id]),
    ],
    [
      'a part number with a serial number',
      () => 'PN:EX-SCAN-2;SN:SCAN-SHARED',
      ({ shared }) => [['PARTS_INVENTORY', shared.units[1]?.id]],
    ],
    [
      'the name of a station as one character for each umlaut',
      ({ composed }) => `LOC:${composed.station?.name}`,
      ({ composed }) => [['LOCATIONS', composed.station?.id]],
    ],
    [
      'that name in another form',
      ({ composed }) => `LOC:${composed.station?.name.normalize('NFD')}`,
      () => [],
    ],
    [
      'a serial number with marks for its umlauts',
      ({ decomposed }) => `SN:${decomposed.units[0]?.serialNumber}`,
      ({ decomposed }) => [['PARTS_INVENTORY', decomposed.units[0]?.id]],
    ],
    [
      'a title of 4,000 characters',
      ({ longTitle }) => `RUN:${longTitle.runs[0]?.title}`,
      ({ longTitle }) => [['RUNS', longTitle.runs[0]?.id]],
    ],
    [
      'a number of a kit',
      ({ lot }) => `KIT:${lot.kit?.id}`,
      ({ lot }) => [['PARTS_KITS', lot.kit?.id]],
    ],
    [
      'a lot number with spaces',
      () => 'LOT:SCAN LOT 1',
      ({ lot }) => [['PARTS_INVENTORY', lot.units[0]?.id]],
    ],
    ['a serial number that no unit has', () => 'SN-99999', () => []],
    ['a text that no pattern knows', () => 'example', () => []],
    ['part of a code', () => 'x SN-00007', () => []],
    ['a label that does not exist', () => JSON.stringify({ uid: '0'.repeat(32) }), () => []],
    ['other JSON', () => '{"serialNumber":"SN-00007"}', () => []],
    ['JSON that is no object', () => 'null', () => []],
    ['an empty text', () => '', () => []],
    ['a very long text', () => `SN-${'7'.repeat(100_000)}`, () => []],
  ];
  for (const [what, code, found] of CODES) {
    it(`find what ${what} means`, async () => {
      assert.deepEqual(await things(code(cases)), found(cases));
    });
  }

  const SEEDED: [code: string, type: string, id: number][] = [
    ['{"uid":"5ca1ab1e000000000000000000000074"}', 'PARTS_INVENTORY', 7],
    ['SN-00007', 'PARTS_INVENTORY', 7],
    ['{"uid":"5ca1ab1e000000000000000000000071"}', 'RUNS', 7],
    ['{"uid":"5ca1ab1e000000000000000000000026"}', 'LOCATIONS', 2],
    ['LOC:Assembly 1', 'LOCATIONS', 2],
  ];
  for (const [code, type, id] of SEEDED) {
    it(`are in the seeded data: ${code}`, async () => {
      assert.deepEqual(await things(code), [[type, id]]);
    });
  }

  it('lead to a run by its entity ID', async () => {
    const { id, code } = cases.longTitle.runs[0] ?? { id: 0, code: '' };
    const [entity] = await scan(code);
    const { runs } = await sandbox.ask(
      'query ($id: ID!) { runs(filters: { entityId: { eq: $id } }) { edges { node { id } } } }',
      { id: entity?.id },
    );
    assert.deepEqual(runs.edges, [{ node: { id } }]);
  });

  it('are found as soon as a label or a pattern is made', async () => {
    const { createBarcodeLabel } = await sandbox.ask(`mutation {
      createBarcodeLabel(input: { templateId: 2, entityId: 14 }) { barcodeLabel { qrCode } }
      createBarcodePattern(input: { entityType: PARTS_INVENTORY, expression: "NO-(?P<serialNumber__suffix>[0-9]+)" }) {
        barcodePattern { id }
      }
    }`);
    const unit = [['PARTS_INVENTORY', 1]];
    assert.deepEqual(await things(createBarcodeLabel.barcodeLabel.qrCode), unit);
    assert.deepEqual(await things('NO-00001'), unit);
  });

  const PATTERNS: [what: string, expression: string, code: string, count: number][] = [
    ['has no groups', 'ABC', 'ABC', 0],
    ['is no expression', '(?P<serialNumber>', 'ABC', 0],
    ['names no member', '(?P<example>X1)', 'X1', 0],
    ['names something of every object', '(?P<constructor>X2)', 'X2', 0],
    ['names a list', '(?P<runs_title>X3)', 'X3', 0],
    ['takes nothing', 'X4(?P<serialNumber__contains>.*)', 'X4', 0],
    ['takes the beginning', 'X5 (?P<serialNumber__prefix>.+)', 'X5 SCAN-BATCH', 2],
    ['takes a part', 'X6 (?P<serialNumber__contains>.+)', 'X6 BATCH', 2],
    [
      'has a group without a part in the match',
      'X7(?P<lotNumber>-)?(?P<serialNumber>.+)',
      'X7SCAN-HOLD',
      1,
    ],
    ['finds what another one finds', 'SN:(?P<serialNumber>SCAN-.+)', 'SN:SCAN-HOLD', 1],
    ['is for numbers, which are JSON as well', '0*(?P<id>\\d+)', '7', 1],
    ['refers to a group', 'X8 (?P<serialNumber>.+) (?P=serialNumber)', 'X8 SCAN-HOLD SCAN-HOLD', 1],
  ];
  for (const [what, expression, code, count] of PATTERNS) {
    it(`may fit a pattern that ${what}`, async () => {
      const pattern = { entityType: 'PARTS_INVENTORY', expression };
      const { id } = sandbox.data.table('BarcodePattern').insert(pattern as object);
      assert.equal((await scan(code)).length, count);
      sandbox.data.table('BarcodePattern').delete(id);
    });
  }

  it('are answered although a pattern would take years', async () => {
    const patterns = sandbox.data.table('BarcodePattern');
    const slow = { entityType: 'PARTS_INVENTORY', expression: '(?P<serialNumber>(Y+)+)Z' };
    const { id } = patterns.insert(slow as object);
    assert.deepEqual(await scan('Y'.repeat(5000)), []);
    assert.deepEqual(await things('SN-00001'), [['PARTS_INVENTORY', 1]]);
    patterns.delete(id);
  });

  it('are on labels of their templates', async () => {
    const template =
      '^XA^FO10,10^BQN,2,1^FDMA,${qrCode}^FS^FD${part.partNumber} ${serialNumber} ${uid.x}^FS^XZ';
    const { createBarcodeTemplate } = await sandbox.ask(
      `mutation ($template: String!) { createBarcodeTemplate(input: { name: "Example", entityType: PARTS_INVENTORY, template: $template }) {
        barcodeTemplate { id }
      } }`,
      { template },
    );
    const templateId = createBarcodeTemplate.barcodeTemplate.id;
    const { createBarcodeLabel } = await sandbox.ask(
      'mutation ($input: CreateBarcodeLabelInput!) { createBarcodeLabel(input: $input) { barcodeLabel { barcode qrCode } } }',
      { input: { templateId, entityId: 14 } },
    );
    const { barcode, qrCode } = createBarcodeLabel.barcodeLabel;
    assert.equal(barcode, `^XA^FO10,10^BQN,2,1^FDMA,${qrCode}^FS^FDEX-1001 SN-00001 ^FS^XZ`);
  });

  const WORK: [what: string, filters: (all: ScanCases) => object, count: number][] = [
    [
      'a serial number',
      () => ({ run: { partInventory: { serialNumber: { eq: 'SCAN-READY' } } } }),
      1,
    ],
    [
      'a serial number of two units',
      () => ({ run: { partInventory: { serialNumber: { eq: 'SCAN-SHARED' } } } }),
      2,
    ],
    [
      'a serial number of two runs',
      () => ({ run: { partInventory: { serialNumber: { in: ['SCAN-TWO-RUNS'] } } } }),
      2,
    ],
    [
      'a complete unit',
      () => ({ run: { partInventory: { serialNumber: { eq: 'SCAN-COMPLETE' } } } }),
      0,
    ],
    [
      'a unit on hold',
      () => ({ run: { partInventory: { serialNumber: { eq: 'SCAN-HOLD' } } } }),
      0,
    ],
    [
      'a failed unit',
      () => ({ run: { partInventory: { serialNumber: { eq: 'SCAN-FAILED' } } } }),
      0,
    ],
    ['a title', ({ longTitle }) => ({ run: { title: { eq: longTitle.runs[0]?.title } } }), 1],
    [
      'a station without work to start',
      ({ started }) => ({ locationId: { eq: started.station?.id } }),
      0,
    ],
    [
      'one of several runs',
      ({ batch }) => ({ runId: { in: batch.runs.map(({ id }) => String(id)) } }),
      2,
    ],
  ];
  for (const [what, filters, count] of WORK) {
    it(`lead to the available steps of ${what}`, async () => {
      const { runSteps } = await sandbox.ask(
        'query ($filters: RunStepsInputFilters) { runSteps(filters: $filters) { edges { node { id } } } }',
        { filters: { ...filters(cases), availableToWork: { eq: true } } },
      );
      assert.equal(runSteps.edges.length, count);
    });
  }

  it('are prepared by the control route, once', async () => {
    const fresh = await start({ runs: 12 });
    try {
      const added = await fresh.http('POST', 'scan-cases');
      const { started } = (await added.json()) as ScanCases;
      assert.equal(started.units[0]?.serialNumber, 'SCAN-STARTED');
      assert.equal((await fresh.http('POST', 'scan-cases')).status, 400);
    } finally {
      await fresh.close();
    }
  });
});
