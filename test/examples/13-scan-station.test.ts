import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { BrowserContextOptions } from 'playwright-core';
import { addScanCases, type ScanCase, type ScanCases } from '../../sandbox/data/scan-cases.js';
import { RunningExample } from '../../tools/example.js';
import { chromium, findTool, zbar } from '../../tools/find-tool.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { usePalettes } from '../../tools/palettes.js';
import { type Symbology, scanPicture } from '../support/barcodes.js';
import { barriers } from '../support/barriers.js';
import { TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { SerialScanner } from '../support/serial-scanner.js';
import { StationPage } from '../support/station-page.js';
import { until } from '../support/until.js';

const DESKTOP: BrowserContextOptions = { viewport: { width: 1200, height: 800 } };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true };
/** The position of the step with fields in a run of the cases. */
const ASSEMBLE = 1;
/** So long, the same code gets the same answer without a request. */
const ION_ANSWER_MS = 1000;

/** Waits for a value, and reports the actual one before mocha's time is over. */
async function becomes<T>(read: () => Promise<T> | T, expected: T): Promise<void> {
  const end = Date.now() + 60_000;
  let value: T | undefined;
  await until(async () => {
    value = await read();
    return isDeepStrictEqual(value, expected) || Date.now() > end;
  });
  assert.deepEqual(value, expected);
}

describe('example 13, a scan station', () => {
  usePalettes();
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let cases: ScanCases;
  let broker: Broker;
  let gateway: TestMqttClient;
  let scanner: SerialScanner;
  let example: RunningExample;
  let chromiumPath: string;
  let zbarPath: string;
  let station: StationPage;

  before(async function () {
    chromiumPath = findTool(this, chromium);
    zbarPath = findTool(this, zbar);
    broker = await startBroker(this, folder.path);
    scanner = await SerialScanner.start(this, folder.path);
    gateway = await TestMqttClient.connect(broker.url);
    cases = addScanCases(ion.sandbox.data);
    example = await RunningExample.start('dashboard/13-scan-station.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      palettes: ['@flowfuse/node-red-dashboard', 'node-red-node-serialport'],
      env: {
        MQTT_HOST: '127.0.0.1',
        MQTT_PORT: String(broker.port),
        SERIAL_PORT: scanner.port,
        TZ: 'UTC',
      },
    });
    const { nodeRed, prefix } = example;
    const isConnected = (id: string) =>
      nodeRed.events.some(
        ({ topic, data }) => topic === `status/${prefix}${id}` && data.fill === 'green',
      );
    await nodeRed.until(() => ['serial', 'scanned', 'gauge'].every(isConnected));
    station = await visit(DESKTOP);
  });
  after(async () => {
    await station?.close();
    await example?.stop();
    await gateway?.close();
    await scanner?.stop();
    await broker?.stop();
  });

  const visit = (options: BrowserContextOptions) =>
    StationPage.open(chromiumPath, example, options);

  /** Shows a code to the camera, and returns what it sees. */
  const seen = (symbology: Symbology, code: string) =>
    scanPicture(zbarPath, folder.path, symbology, code);

  /** Types the code of a unit, and waits until its values can be entered. */
  const shows = async (code: string, serialNumber: string): Promise<void> => {
    await station.type(code);
    await becomes(() => station.textOf('serial-number'), serialNumber);
    await station.says(/^Enter the values of “Assemble”\.$/);
  };
  /** Scans a code whose earlier answer is remembered: one of the last second counts as ION's. */
  const isRemembered = async (code: string): Promise<void> => {
    const isOld = Date.now() + ION_ANSWER_MS;
    await until(() => Date.now() > isOld);
    await station.type(code);
    await station.says(
      /^ION cannot be reached\. This is its answer of 20\d\d-.* Enter the values of “Assemble”\.$/,
    );
  };

  /**
   * Scans until ION answers: answers are remembered until a look-up in the background finds ION.
   * The page shows the same unit afterwards.
   */
  const findsIonAgain = async (): Promise<void> => {
    await until(async () => {
      await showsAnother();
      await showsAnother();
      return (await station.textOf('answer')).startsWith('ION, ');
    });
  };
  /** Scans a unit that the page does not show, so that its answer is not taken for an earlier one. */
  const showsAnother = async (): Promise<void> => {
    const [code, serialNumber] =
      (await station.textOf('serial-number')) === 'SCAN-STARTED'
        ? [codeOf(cases.lot), 'lot SCAN LOT 1']
        : [codeOf(cases.started), 'SCAN-STARTED'];
    await station.type(code);
    await becomes(() => station.textOf('serial-number'), serialNumber);
    await station.says(/“Assemble”\.$/);
  };

  /** The step with fields of a run of a case. */
  const stepOf = ({ runs }: ScanCase, run = 0) => {
    const id = runs[run]?.stepIds[ASSEMBLE] ?? 0;
    const step = ion.sandbox.data.runSteps.get(id);
    assert.ok(step);
    return step;
  };
  const fieldOf = (found: ScanCase, name: string, run = 0) => {
    const fields = ion.sandbox.data.runStepFields.of(stepOf(found, run).id);
    const field = fields.find((each) => each.name === name);
    assert.ok(field);
    return field;
  };
  const codeOf = ({ units: [unit] }: ScanCase) => String(unit?.code);
  const lastRecord = async () => (await station.cells('written'))[0]?.slice(1);

  it('records a value of a gauge for the unit whose QR code a scanner at a serial port reads', async () => {
    const { started } = cases;
    scanner.scan(await seen('qrcode', codeOf(started)));
    await station.says(/^Enter the values of “Assemble”\.$/);
    assert.deepEqual(
      await Promise.all(
        ['part', 'serial-number', 'title', 'step-title', 'place'].map((name) =>
          station.textOf(name),
        ),
      ),
      [
        'EX-SCAN-1 A Example of a scanned part',
        'SCAN-STARTED',
        `Scan run started (${started.runs[0]?.id})`,
        'Assemble, in progress',
        'Scan station 1',
      ],
    );
    assert.match(await station.textOf('answer'), /^ION, \d\d:\d\d:\d\d$/);
    assert.deepEqual(await station.cells('table'), [
      ['Torque (N·m)', '', 'required'],
      ['Finish', '', ''],
      ['Notes', '', ''],
    ]);

    await gateway.publish('station/values', { Torque: 11.5 });
    await station.says(/^✔ Torque 11\.5 N·m: valid$/);
    assert.equal(fieldOf(started, 'Torque').value, 11.5);
    await becomes(
      async () => (await station.cells('table'))[0],
      ['Torque (N·m)', '11.5', '✔ valid'],
    );
    assert.deepEqual(await lastRecord(), [
      'EX-SCAN-1 SCAN-STARTED, Assemble: Torque 11.5 N·m',
      '✔ valid',
    ]);
  });

  it('records values of the form for the unit whose Code 128 comes by MQTT, and starts its step', async () => {
    const { ready } = cases;
    await gateway.publish('station/scan', await seen('code128', 'SN:SCAN-READY'));
    await becomes(() => station.textOf('step-title'), 'Assemble, to do');
    // The message comes after the form was emptied.
    await station.says(/^Enter the values of “Assemble”\.$/);
    await station.enter('Torque', '10.25');
    await station.choose('Finish', 'Gloss');
    await station.record();
    await station.says(/^✔ Torque 10\.25 N·m, Finish Gloss: valid$/);
    assert.equal(fieldOf(ready, 'Torque').value, 10.25);
    assert.equal(fieldOf(ready, 'Finish').value, 'Gloss');
    assert.equal(fieldOf(ready, 'Notes').value, null);
    assert.equal(stepOf(ready).status, 'IN_PROGRESS');
    await becomes(() => station.textOf('step-title'), 'Assemble, in progress');
    assert.equal(await station.page.inputValue(station.input('Torque')), '');
  });

  it('empties the form for the next unit', async () => {
    await shows('SN:SCAN-STARTED', 'SCAN-STARTED');
    await station.enter('Torque', '99');
    await shows('SN:SCAN-READY', 'SCAN-READY');
    await becomes(() => station.page.inputValue(station.input('Torque')), '');
    assert.equal(await station.page.inputValue(`${station.widget('typed')} input`), '');
    await station.record();
    await station.says(/^✖ Enter a value first\.$/);
  });

  it('shows that ION does not consider a value valid', async () => {
    const { rebuilt } = cases;
    const { data } = ion.sandbox;
    const validations = data.table('RunStepFieldValidation');
    const runStepFieldId = fieldOf(rebuilt, 'Torque', 1).id;
    const [most, least] = ['Less than', 'Greater than'].map(
      (displayName) => data.table('ValidationFunction').insert({ displayName } as object).id,
    );
    const upper = { runStepFieldId, functionId: most, position: 0, value: 12.5, result: 'FAIL' };
    const lower = { runStepFieldId, functionId: least, position: 1, value: 9, result: 'PASS' };
    const [{ id }] = [validations.insert(upper), validations.insert(lower)];
    await shows(codeOf(rebuilt), 'SCAN-REBUILT');
    await becomes(
      () => station.cells('table'),
      [
        ['Torque (N·m)', '', 'Less than 12.5; Greater than 9', 'required'],
        ['Finish', '', '', ''],
        ['Notes', '', '', ''],
      ],
    );
    await station.enter('Torque', '47');
    await station.enter('Notes', 'twice');
    await station.record();
    await station.says(/^✖ Torque 47 N·m, Notes twice: not valid \(Torque\)$/);
    await becomes(
      async () => (await station.cells('table'))[0],
      ['Torque (N·m)', '47', 'Less than 12.5; Greater than 9', '✖ not valid'],
    );
    assert.equal(fieldOf(rebuilt, 'Torque', 1).value, 47);

    validations.update(id, { result: 'PASS' } as object);
    await station.enter('Torque', '11');
    await station.record();
    await station.says(/^✔ Torque 11 N·m: valid$/);
    await becomes(
      async () => (await station.cells('table'))[0],
      ['Torque (N·m)', '11', 'Less than 12.5; Greater than 9', '✔ valid'],
    );
  });

  it('lets somebody choose one of several runs', async () => {
    const { twoRuns } = cases;
    await station.type(codeOf(twoRuns));
    await station.says(/ Choose one\.$/);
    await becomes(
      () => station.cells('candidates'),
      [
        ['EX-SCAN-1 SCAN-TWO-RUNS', 'Scan run twoRuns 1: Assemble', 'to do'],
        ['EX-SCAN-1 SCAN-TWO-RUNS', 'Scan run twoRuns 2: Assemble', 'to do'],
      ],
    );
    await becomes(() => station.isVisible('form'), false);
    await station.page.click(`${station.widget('candidates')} tbody tr >> nth=1`);
    await becomes(() => station.textOf('title'), `Scan run twoRuns 2 (${twoRuns.runs[1]?.id})`);
    await station.says(/^Enter the values of “Assemble”\.$/);
    await becomes(() => station.isVisible('candidates'), false);
    await station.enter('Torque', '10.5');
    await station.record();
    await station.says(/^✔ Torque 10\.5 N·m: valid$/);
    assert.equal(fieldOf(twoRuns, 'Torque', 1).value, 10.5);
    assert.equal(fieldOf(twoRuns, 'Torque', 0).value, null);
  });

  it('says why there is no work, and records nothing then', async () => {
    await station.type(codeOf(cases.onHold));
    await station.says(/^✖ .*Inspect/);
    await becomes(
      () => station.cells('candidates'),
      [['EX-SCAN-1 SCAN-HOLD', 'Scan run onHold: Inspect', 'hold']],
    );
    await becomes(() => station.isVisible('form'), false);
    await becomes(() => station.isVisible('part'), false);

    await station.type('<b>unknown</b> & more');
    await station.says(/^✖ .*<b>unknown<\/b> & more/);
    await becomes(() => station.isVisible('candidates'), false);
    const { executed } = ion.sandbox.control.counters();
    await gateway.publish('station/values', { Torque: 11.5 });
    await station.says(/^✖ Not recorded: the page shows no unit\. Scan it first\.$/);
    assert.deepEqual(ion.sandbox.control.counters().executed, executed);
  });

  it('shows why a value is not recorded', async () => {
    const { started } = cases;
    await shows(codeOf(started), 'SCAN-STARTED');
    await gateway.publish('station/values', { Torque: '11,5' });
    await station.says(/^✖ Torque 11,5 N·m: not recorded: .*11,5/);
    await gateway.publish('station/values', '{ "Torque": ');
    await station.says(/^✖ .*not recorded: .*JSON/);
    assert.equal(fieldOf(started, 'Torque').value, 11.5);
  });

  it('takes the newest of two codes, whichever answer comes first', async () => {
    const { started, ready } = cases;
    await shows('SN:SCAN-READY', 'SCAN-READY');
    ion.sandbox.control.fault({ target: 'api', kind: 'latency', ms: 1500 });
    const { events } = example.nodeRed;
    const earlier = events.length;
    await gateway.publish('station/scan', 'SN:SCAN-STARTED');
    await station.says(/^Asking ION …$/);
    await gateway.publish('station/scan', 'SN:SCAN-READY');
    const isLate = ({ topic, data }: (typeof events)[number]) =>
      topic === `status/${example.prefix}barcode` && /SCAN-STARTED/.test(String(data.text));
    await example.nodeRed.until(() => events.slice(earlier).some(isLate));
    await gateway.publish('station/values', { Notes: 'of the newest code' });
    await station.says(/: valid$/);
    assert.equal(await station.textOf('serial-number'), 'SCAN-READY');
    assert.equal(fieldOf(ready, 'Notes').value, 'of the newest code');
    assert.equal(fieldOf(started, 'Notes').value, null);
  });

  it('shows why ION rejects a value', async () => {
    const step = stepOf(cases.started);
    await shows('SN:SCAN-STARTED', 'SCAN-STARTED');
    ion.sandbox.data.runSteps.update(step.id, { status: 'HOLD' });
    try {
      await station.enter('Notes', 'too late');
      await station.record();
      await station.says(/^✖ .*not recorded: /);
    } finally {
      ion.sandbox.data.runSteps.update(step.id, { status: 'IN_PROGRESS' });
    }
    assert.equal(fieldOf(cases.started, 'Notes').value, null);
  });

  it('continues without ION: a known unit is remembered, and its values arrive later', async () => {
    const { control } = ion.sandbox;
    const { lot } = cases;
    await shows(codeOf(lot), 'lot SCAN LOT 1');
    for (const target of ['api', 'token'] as const) {
      control.fault({ target, kind: 'status', status: 503, times: 1e9 });
    }
    await station.type('SN:SCAN-BATCH-1');
    await station.says(/^✖ ION cannot be reached, and nothing is remembered for this code\./);
    await becomes(() => station.isVisible('form'), false);

    await isRemembered(codeOf(lot));
    assert.match(await station.textOf('answer'), /^remembered, 20\d\d-\d\d-\d\d \d\d:\d\d$/);
    await station.enter('Torque', '10.75');
    await station.record();
    await station.says(/^Torque 10\.75 N·m: waits for ION, safe on this machine$/);
    assert.equal(fieldOf(lot, 'Torque').value, null);
    control.clearFaults();
    await station.says(/^✔ Torque 10\.75 N·m: valid$/);
    assert.equal(fieldOf(lot, 'Torque').value, 10.75);
    await becomes(
      async () => (await station.cells('table'))[0],
      ['Torque (N·m)', '10.75', '✔ valid'],
    );
    await becomes(async () => (await station.textOf('answer')).startsWith('ION, '), true);
  });

  it('reports a late value, and keeps the page of another unit', async () => {
    const { control } = ion.sandbox;
    const { lot, started } = cases;
    await findsIonAgain();
    for (const target of ['api', 'token'] as const) {
      control.fault({ target, kind: 'status', status: 503, times: 1e9 });
    }
    await station.enter('Notes', 'late');
    await station.record();
    await station.says(/^Notes late: waits for ION, safe on this machine$/);
    await isRemembered(codeOf(started));
    control.clearFaults();
    const row = ['EX-SCAN-1 SCAN LOT 1, Assemble: Notes late', '✔ valid'];
    await becomes(lastRecord, row);
    assert.equal(fieldOf(lot, 'Notes').value, 'late');
    assert.equal(await station.textOf('serial-number'), 'SCAN-STARTED');
    assert.match(await station.textOf('say'), /^ION cannot be reached\. This is its answer of /);
    await findsIonAgain();
  });

  for (const [device, options] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`can be read and used on a ${device}, ${colorScheme}`, async () => {
        const visitor = await visit({ ...options, colorScheme });
        try {
          await station.type(codeOf(cases.lot));
          await becomes(() => visitor.textOf('serial-number'), 'lot SCAN LOT 1');
          await station.type(codeOf(cases.started));
          await becomes(() => visitor.textOf('serial-number'), 'SCAN-STARTED');
          await visitor.says(/^Enter the values of “Assemble”\.$/);
          await visitor.enter('Notes', `${device}, ${colorScheme}`);
          await visitor.record();
          await visitor.says(/: valid$/);
          assert.equal(fieldOf(cases.started, 'Notes').value, `${device}, ${colorScheme}`);
          const [width, background] = await visitor.page.evaluate(() => [
            document.documentElement.scrollWidth,
            getComputedStyle(document.querySelector('.v-card') as Element).backgroundColor,
          ]);
          assert.equal(width, options.viewport?.width);
          assert.equal(
            background,
            colorScheme === 'dark' ? 'rgb(29, 32, 38)' : 'rgb(255, 255, 255)',
          );
          await visitor.page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
          assert.deepEqual(await barriers(visitor.page, 'main'), []);
        } finally {
          await visitor.close();
        }
      });
    }
  }
});

describe('example 13, imported without any settings', () => {
  usePalettes();
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();

  it('starts, and looks for the scanner at its usual port', async () => {
    const example = await RunningExample.start('dashboard/13-scan-station.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      palettes: ['@flowfuse/node-red-dashboard', 'node-red-node-serialport'],
    });
    try {
      const { nodeRed } = example;
      await nodeRed.until(() => nodeRed.log.includes('serial port /dev/ttyACM0'));
      assert.doesNotMatch(nodeRed.log, /missing types|Error evaluating/i);
    } finally {
      await example.stop();
    }
  });
});
