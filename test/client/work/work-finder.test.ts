import assert from 'node:assert/strict';
import type { IonClient } from '../../../nodes/client/client.js';
import type { WorkQuery } from '../../../nodes/client/work/work.js';
import { WorkFinder } from '../../../nodes/client/work/work-finder.js';
import { addScanCases, type ScanCases } from '../../../sandbox/data/scan-cases.js';
import type { Store } from '../../../sandbox/server.js';
import { useSandbox } from '../../support/sandbox.js';
import { addLocation, addRun, addUnit, addWork, answerLine } from '../../support/work.js';

const QUERY: WorkQuery = { by: 'serial', value: '', part: '', step: '', fields: false };
const { signal } = new AbortController();

const find = (client: IonClient, query: Partial<WorkQuery>) =>
  new WorkFinder(client).find({ ...QUERY, ...query }, { signal });

type Query = Partial<WorkQuery>;
type Row = [
  what: string,
  query: Query | ((cases: ScanCases) => Query),
  answer: string,
  requests: number,
  /** Its IDs are written as "#". */
  reason?: string,
];

const serial = (value: string, more: Query = {}): Query => ({ by: 'serial', value, ...more });
const run = (value: string, more: Query = {}): Query => ({ by: 'run', value, ...more });
const location = (value: string, more: Query = {}): Query => ({ by: 'location', value, ...more });
const code = (value: string, more: Query = {}): Query => ({ by: 'barcode', value, ...more });
const labelOf =
  (kind: 'units' | 'runs', name: keyof ScanCases, index = 0) =>
  (cases: ScanCases) =>
    code(cases[name][kind][index]?.code ?? '');

const LONG = 'Example of a long title '.repeat(200).slice(0, 3999).concat('.');
const WORDS = `${'a '.repeat(2400)}b`;
const LONG_SERIAL = 'S'.repeat(4000);
const NO_ACCESS = 'or the API key has no access to it.';

const BY_SERIAL: Row[] = [
  ['of a unit', serial('SCAN-STARTED'), 'one: SCAN-STARTED / Scan run started / Assemble', 1],
  [
    'of a unit with fields',
    serial('SCAN-STARTED', { fields: true }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'with the line break of a scanner',
    serial(' SCAN-STARTED\r\n'),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'with control characters',
    serial('\u001dSCAN-STARTED\u0004'),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'of a unit without a step in progress',
    serial('SCAN-READY'),
    'one: SCAN-READY / Scan run ready / Assemble',
    1,
  ],
  [
    'that no unit has',
    serial('SCAN-NOTHING'),
    'none:',
    1,
    `ION has no unit with the serial number "SCAN-NOTHING", ${NO_ACCESS}`,
  ],
  [
    'that is a lot number',
    serial('SCAN LOT 1'),
    'none:',
    1,
    `ION has no unit with the serial number "SCAN LOT 1", ${NO_ACCESS}`,
  ],
  ['in another case', serial('scan-started'), 'none:', 1],
  [
    'that two parts have',
    serial('SCAN-SHARED'),
    'several: | SCAN-SHARED / Scan run shared 1 / Assemble | SCAN-SHARED / Scan run shared 2 / Assemble',
    1,
    'The serial number "SCAN-SHARED" means 2 things: unit # of part "EX-SCAN-1" with serial number "SCAN-SHARED", unit # of part "EX-SCAN-2" with serial number "SCAN-SHARED". Give the part number as well.',
  ],
  [
    'that two parts have, with one of them',
    serial('SCAN-SHARED', { part: 'EX-SCAN-2' }),
    'one: SCAN-SHARED / Scan run shared 2 / Assemble',
    1,
  ],
  [
    'that two parts have, with another one',
    serial('SCAN-SHARED', { part: 'EX-1001' }),
    'none:',
    1,
    `ION has no unit with the serial number "SCAN-SHARED" of part "EX-1001", ${NO_ACCESS}`,
  ],
  [
    'that two units have, one of them without open work',
    serial('FIND-REUSED'),
    'one: FIND-REUSED / Find run reused / Assemble',
    1,
  ],
  [
    'that two parts have, one of them without open work',
    serial('FIND-FINISHED'),
    'several: | FIND-FINISHED | FIND-FINISHED / Find run unfinished / Assemble',
    1,
    'The serial number "FIND-FINISHED" means 2 things: unit # of part "EX-SCAN-2" with serial number "FIND-FINISHED", unit # of part "EX-1001" with serial number "FIND-FINISHED". Give the part number as well.',
  ],
  [
    'that two parts have, with the one without open work',
    serial('FIND-FINISHED', { part: 'EX-SCAN-2' }),
    'blocked: | FIND-FINISHED / Find run finished',
    1,
  ],
  [
    'of a unit with a step in progress in an archived run',
    serial('FIND-ARCHIVED'),
    'one: FIND-ARCHIVED / Find run archived 2 / Assemble',
    1,
  ],
  [
    'of a unit whose only run is archived',
    serial('FIND-PUT-AWAY'),
    'blocked: | FIND-PUT-AWAY / Find run put away',
    1,
    'The serial number "FIND-PUT-AWAY" has no open step: run # "Find run put away" is archived.',
  ],
  ['that has characters of a pattern', serial('%'), 'one: % / Find run percent / 100% _test_', 1],
  ['that is a pattern for another one', serial('_'), 'none:', 1],
  [
    'of a unit in two runs',
    serial('SCAN-TWO-RUNS'),
    'several: | SCAN-TWO-RUNS / Scan run twoRuns 1 / Assemble | SCAN-TWO-RUNS / Scan run twoRuns 2 / Assemble',
    1,
    'The serial number "SCAN-TWO-RUNS" has 2 steps that can start: step # "Assemble" of run # "Scan run twoRuns 1", step # "Assemble" of run # "Scan run twoRuns 2".',
  ],
  [
    'of a unit in two runs, one of them in progress',
    serial('FIND-TWO-RUNS'),
    'one: FIND-TWO-RUNS / Find run started / Assemble',
    1,
  ],
  [
    'of a unit in two runs, both in progress',
    serial('FIND-BOTH'),
    'several: | FIND-BOTH / Find run both 1 / Assemble | FIND-BOTH / Find run both 2 / Assemble',
    1,
    'The serial number "FIND-BOTH" has 2 steps in progress: step # "Assemble" of run # "Find run both 1", step # "Assemble" of run # "Find run both 2".',
  ],
  [
    'of a unit in two runs, one of them complete',
    serial('SCAN-REBUILT'),
    'one: SCAN-REBUILT / Scan run rebuilt 2 / Assemble',
    1,
  ],
  [
    'of a unit in a batch',
    serial('SCAN-BATCH-2'),
    'one: SCAN-BATCH-2 / Scan run batch 2 / Assemble',
    1,
  ],
  [
    'of a unit without a run',
    serial('SCAN-WITHOUT-RUN'),
    'none:',
    1,
    'The serial number "SCAN-WITHOUT-RUN" has no run.',
  ],
  [
    'of a unit that is complete',
    serial('SCAN-COMPLETE'),
    'blocked: | SCAN-COMPLETE / Scan run complete',
    1,
    'The serial number "SCAN-COMPLETE" has no open step: run # "Scan run complete" is complete.',
  ],
  [
    'of a unit on hold',
    serial('SCAN-HOLD'),
    'blocked: | SCAN-HOLD / Scan run onHold / Inspect',
    1,
    'No step of the serial number "SCAN-HOLD" can be worked on now: step # "Inspect" of run # "Scan run onHold" is on hold.',
  ],
  [
    'of a unit with a failed step',
    serial('SCAN-FAILED'),
    'blocked: | SCAN-FAILED / Scan run failed / Assemble',
    1,
    'No step of the serial number "SCAN-FAILED" can be worked on now: step # "Assemble" of run # "Scan run failed" has failed.',
  ],
  [
    'of a unit with a redline',
    serial('SCAN-REDLINE'),
    'blocked: | SCAN-REDLINE / Scan run redline / Assemble',
    1,
    'No step of the serial number "SCAN-REDLINE" can be worked on now: step # "Assemble" of run # "Scan run redline" is being redlined.',
  ],
  [
    'of a unit with a step inside one in progress',
    serial('FIND-NESTED'),
    'one: FIND-NESTED / Find run nested / Inner',
    1,
  ],
  [
    'of a unit with two steps in progress',
    serial('FIND-PARALLEL'),
    'several: | FIND-PARALLEL / Find run parallel / Left | FIND-PARALLEL / Find run parallel / Right',
    1,
    'The serial number "FIND-PARALLEL" has 2 steps in progress: step # "Left" of run # "Find run parallel", step # "Right" of run # "Find run parallel".',
  ],
  [
    'of a unit with sixty steps that can start',
    serial('FIND-WIDE'),
    'one: FIND-WIDE / Find run wide / Wide 0',
    1,
  ],
  [
    'with composed umlauts',
    serial('Gehäuse Ä 7'.normalize('NFC')),
    'one: Gehäuse Ä 7 / Prüfung Größe 7 / Assemble',
    1,
  ],
  [
    'with composed umlauts, decomposed',
    serial('Gehäuse Ä 7'.normalize('NFD')),
    'one: Gehäuse Ä 7 / Prüfung Größe 7 / Assemble',
    1,
  ],
  [
    'with decomposed umlauts, composed',
    serial('Kühler Ö 8'.normalize('NFC')),
    'one: Kühler Ö 8 / Lötung Höhe 8 / Assemble',
    1,
  ],
  [
    'of 4,000 characters',
    serial(LONG_SERIAL),
    `one: ${LONG_SERIAL.slice(0, 40)} / Find run long / Assemble`,
    1,
  ],
];

const FURTHER: Row[] = [
  [
    'the serial number of a unit whose first step is not the first in ION',
    serial('FIND-ORDER'),
    'one: FIND-ORDER / Find run order / First',
    1,
  ],
  [
    'the serial number of a unit with steps behind one on hold',
    serial('FIND-QUEUE'),
    'blocked: | FIND-QUEUE / Find run queue / First',
    1,
    'No step of the serial number "FIND-QUEUE" can be worked on now: step # "First" of run # "Find run queue" is on hold.',
  ],
  [
    'the title of two steps, one complete, the other on hold',
    serial('FIND-RETEST', { step: 'Test' }),
    'blocked: | FIND-RETEST / Find run retest / Test',
    1,
    'No step "Test" of the serial number "FIND-RETEST" can be worked on now: step # "Test" of run # "Find run retest" is on hold.',
  ],
  [
    'the serial number that more units have than are read',
    serial('FIND-CROWD'),
    'several: | FIND-CROWD / Find run crowd / Assemble',
    1,
    'The serial number "FIND-CROWD" means 1 or more things: unit # of part "EX-1001" with serial number "FIND-CROWD", …',
  ],
  [
    'the name of a location with one step in progress and more that can start than are read',
    location('Find station rush', { fields: true }),
    'one: - / Find run rush / Rush 60',
    1,
  ],
];

const BY_TITLE: Row[] = [
  [
    'of a step in progress',
    serial('SCAN-STARTED', { step: 'Assemble', fields: true }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'in another case, with blanks',
    serial('SCAN-STARTED', { step: ' assemble\n' }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'that no step has',
    serial('SCAN-STARTED', { step: 'Paint' }),
    'none:',
    1,
    'The serial number "SCAN-STARTED" has no step "Paint". It has: step # "Assemble" of run # "Scan run started", step # "Inspect" of run # "Scan run started".',
  ],
  ['with characters of a pattern', serial('SCAN-STARTED', { step: '%ssemble' }), 'none:', 1],
  [
    'of a step that is complete',
    serial('SCAN-STARTED', { step: 'Clean' }),
    'blocked: | SCAN-STARTED / Scan run started / Clean',
    1,
    'No step "Clean" of the serial number "SCAN-STARTED" can be worked on now: step # "Clean" of run # "Scan run started" is complete.',
  ],
  [
    'of a step that waits for another one',
    serial('SCAN-STARTED', { step: 'Inspect' }),
    'blocked: | SCAN-STARTED / Scan run started / Assemble',
    1,
    'No step "Inspect" of the serial number "SCAN-STARTED" can be worked on now: step # "Assemble" of run # "Scan run started" is in progress.',
  ],
  [
    'of a step inside one that is still to do',
    serial('FIND-CLOSED', { step: 'Inner' }),
    'blocked: | FIND-CLOSED / Find run closed / Outer',
    1,
    'No step "Inner" of the serial number "FIND-CLOSED" can be worked on now: step # "Outer" of run # "Find run closed" is still to do.',
  ],
  [
    'of a step on hold',
    serial('SCAN-HOLD', { step: 'Inspect' }),
    'blocked: | SCAN-HOLD / Scan run onHold / Inspect',
    1,
  ],
  [
    'of steps in two runs',
    serial('SCAN-TWO-RUNS', { step: 'Assemble' }),
    'several: | SCAN-TWO-RUNS / Scan run twoRuns 1 / Assemble | SCAN-TWO-RUNS / Scan run twoRuns 2 / Assemble',
    1,
    'The serial number "SCAN-TWO-RUNS" has 2 steps "Assemble" that can start: step # "Assemble" of run # "Scan run twoRuns 1", step # "Assemble" of run # "Scan run twoRuns 2".',
  ],
  [
    'of two steps, one of them complete',
    serial('FIND-AGAIN', { step: 'Test' }),
    'one: FIND-AGAIN / Find run again / Test',
    1,
  ],
  [
    'of a parallel step',
    serial('FIND-PARALLEL', { step: 'Right' }),
    'one: FIND-PARALLEL / Find run parallel / Right',
    1,
  ],
  [
    'with characters of a pattern, as it is',
    serial('%', { step: '100% _TEST_' }),
    'one: % / Find run percent / 100% _test_',
    1,
  ],
  [
    'of 2,400 words',
    serial('FIND-WORDS', { step: WORDS }),
    `one: FIND-WORDS / Find run words / ${WORDS.slice(0, 40)}`,
    1,
  ],
  [
    'with umlauts in the other form',
    serial('FIND-UMLAUT', { step: 'Prüfung 1'.normalize('NFD') }),
    'one: FIND-UMLAUT / Find run umlaut / Prüfung 1',
    1,
  ],
  [
    'at a location',
    location('Find station 1', { step: 'Weld', fields: true }),
    'one: FIND-WELD / Find run weld / Weld',
    1,
  ],
  [
    'behind a barcode',
    code('SN:FIND-PARALLEL', { step: 'Right', fields: true }),
    'one: FIND-PARALLEL / Find run parallel / Right',
    2,
  ],
  [
    'of the last of sixty steps',
    serial('FIND-WIDE', { step: 'Wide 59', fields: true }),
    'one: FIND-WIDE / Find run wide / Wide 59',
    1,
  ],
];

const BY_RUN: Row[] = [
  ['title', run('Scan run started'), 'one: SCAN-STARTED / Scan run started / Assemble', 1],
  [
    'title with fields',
    run('Scan run started', { fields: true }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'ID',
    ({ started }) => run(String(started.runs[0]?.id)),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'ID with leading zeros',
    ({ started }) => run(`000${started.runs[0]?.id}`),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'ID that is the title of another run',
    run('7'),
    'several: | SN-00007 / Example bracket assembly 0007 / Kit parts | - / 7 / Assemble',
    1,
    'The run "7" means 2 things: run # "Example bracket assembly 0007" of unit # of part "EX-1001" with serial number "SN-00007", run # "7".',
  ],
  [
    'title that is the ID of another run with zeros in front',
    run('0008'),
    'several: | SN-00008 / Example panel bonding 0008 | - / 0008 / Assemble',
    1,
  ],
  ['title that is a number', run('987654'), 'one: - / 987654 / Assemble', 1],
  [
    'title that is a number larger than any ID',
    run('98765432109'),
    'one: - / 98765432109 / Assemble',
    1,
  ],
  [
    'title that no run has',
    run('Scan run'),
    'none:',
    1,
    `ION has no run with the ID or the title "Scan run", ${NO_ACCESS}`,
  ],
  [
    'title that two runs have',
    run('Find run twice'),
    'several: | - / Find run twice / Assemble | - / Find run twice / Assemble',
    1,
    'The run "Find run twice" means 2 things: run # "Find run twice", run # "Find run twice".',
  ],
  [
    'title that runs of two units have, one of them in progress',
    run('Find run common'),
    'several: | FIND-COMMON-1 / Find run common / Assemble | FIND-COMMON-2 / Find run common / Assemble',
    1,
  ],
  [
    'title that runs of two units have, one of them complete',
    run('Find run later'),
    'several: | FIND-LATER-1 / Find run later | FIND-LATER-2 / Find run later / Assemble',
    1,
  ],
  [
    'title that runs of two units have, one of them canceled',
    run('Find run instead'),
    'one: FIND-INSTEAD-2 / Find run instead / Assemble',
    1,
  ],
  [
    'title that two runs have, one of them complete',
    run('Find run reused'),
    'one: FIND-REUSED / Find run reused / Assemble',
    1,
  ],
  ['title of a run without a unit', run('Find run alone'), 'one: - / Find run alone / Assemble', 1],
  [
    'title of a run that is complete',
    run('Scan run complete'),
    'blocked: | SCAN-COMPLETE / Scan run complete',
    1,
    'The run "Scan run complete" has no open step: run # "Scan run complete" is complete.',
  ],
  [
    'title of a run in a batch',
    run('Scan run batch 1'),
    'one: SCAN-BATCH-1 / Scan run batch 1 / Assemble',
    1,
  ],
  [
    'title of a run on hold',
    run('Scan run onHold'),
    'blocked: | SCAN-HOLD / Scan run onHold / Inspect',
    1,
  ],
  [
    'title with umlauts in the other form',
    run('Prüfung Größe 7'.normalize('NFD')),
    'one: Gehäuse Ä 7 / Prüfung Größe 7 / Assemble',
    1,
  ],
  [
    'title of 4,000 characters',
    run(LONG),
    `one: SCAN-LONG-TITLE / ${LONG.slice(0, 40)} / Assemble`,
    1,
  ],
];

const BY_LOCATION: Row[] = [
  ['name', location('Scan station 1'), 'one: SCAN-STARTED / Scan run started / Assemble', 1],
  [
    'name with fields',
    location('Scan station 1', { fields: true }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'ID',
    ({ started }) => location(String(started.station?.id)),
    'one: SCAN-STARTED / Scan run started / Assemble',
    1,
  ],
  [
    'name that no location has',
    location('Scan station'),
    'none:',
    1,
    `ION has no location with the ID or the name "Scan station", ${NO_ACCESS}`,
  ],
  [
    'name of a location without steps',
    location('Find station empty'),
    'none:',
    1,
    'The location "Find station empty" has no open step.',
  ],
  [
    'name of a location with several steps in progress',
    location('Find station busy'),
    'several: | FIND-BUSY-1 / Find run busy 1 / Paint | FIND-BUSY-2 / Find run busy 2 / Paint',
    1,
    'The location "Find station busy" has 2 steps in progress: step # "Paint" of run # "Find run busy 1" for serial number "FIND-BUSY-1", step # "Paint" of run # "Find run busy 2" for serial number "FIND-BUSY-2".',
  ],
  [
    'name of a location with steps that can start',
    location('Find station 1'),
    'several: | FIND-WELD / Find run weld / Weld | FIND-GRIND / FIND-GRIND / Grind',
    1,
  ],
  [
    'name of a location with a step that waits',
    location('Find station waiting'),
    'blocked: | FIND-WAITING / Find run waiting / First',
    2,
    'No step of the location "Find station waiting" can be worked on now: step # "First" of run # "Find run waiting" is in progress.',
  ],
  [
    'name of two locations',
    location('Find station twin'),
    'several: | - / Find station twin | - / Find station twin',
    1,
    'The location "Find station twin" means 2 things: location # "Find station twin", location # "Find station twin".',
  ],
  [
    'name of two locations, one of them with work',
    location('Find station pair'),
    'several: | FIND-PAIR / Find run pair / Assemble | - / Find station pair',
    1,
  ],
  [
    'name of two locations, one of them archived',
    location('Find station moved'),
    'one: FIND-MOVED / Find run moved / Assemble',
    1,
  ],
  [
    'name that is the ID of another location',
    location('2'),
    'several: | SN-00013 / Example bracket assembly 0013 / Fasten bracket | FIND-NUMBER / Find run number / Assemble',
    1,
  ],
  [
    'name with umlauts in the other form',
    location('Lötplatz Über 8'.normalize('NFC')),
    'one: Kühler Ö 8 / Lötung Höhe 8 / Assemble',
    1,
  ],
  [
    'name of a location with more steps than are read',
    location('Find station full'),
    'several: | - / Find run full / Full 0',
    1,
    'The location "Find station full" has 1 or more steps that can start: step # "Full 0" of run # "Find run full", …',
  ],
];

const BY_BARCODE: Row[] = [
  [
    'the label of a unit',
    labelOf('units', 'started'),
    'one: SCAN-STARTED / Scan run started / Assemble',
    2,
  ],
  [
    'the label of a unit, with fields',
    (cases) => ({ ...labelOf('units', 'started')(cases), fields: true }),
    'one: SCAN-STARTED / Scan run started / Assemble',
    2,
  ],
  ['the label of a lot', labelOf('units', 'lot'), 'one: SCAN LOT 1 / Scan run lot / Assemble', 2],
  [
    'the label of a run',
    labelOf('runs', 'ready'),
    'one: SCAN-READY / Scan run ready / Assemble',
    2,
  ],
  [
    'the label of a run that is complete',
    labelOf('runs', 'rebuilt'),
    'blocked: | SCAN-REBUILT / Scan run rebuilt 1',
    2,
  ],
  [
    'the label of a location',
    ({ started }) => code(started.station?.code ?? ''),
    'one: SCAN-STARTED / Scan run started / Assemble',
    2,
  ],
  [
    'the label of a unit in two runs',
    labelOf('units', 'twoRuns'),
    'several: | SCAN-TWO-RUNS / Scan run twoRuns 1 / Assemble | SCAN-TWO-RUNS / Scan run twoRuns 2 / Assemble',
    2,
  ],
  [
    'the label of a unit in a batch',
    labelOf('units', 'batch'),
    'one: SCAN-BATCH-1 / Scan run batch 1 / Assemble',
    2,
  ],
  [
    'the label of a unit on hold',
    labelOf('units', 'onHold'),
    'blocked: | SCAN-HOLD / Scan run onHold / Inspect',
    2,
  ],
  ['the label of a unit without a run', labelOf('units', 'withoutRun'), 'none:', 2],
  [
    'the label of a kit',
    ({ lot }) => code(lot.kit?.code ?? ''),
    'none:',
    1,
    'The code "{"uid":"#"}" means a kit, not a unit, a run or a location.',
  ],
  [
    'a label that ION does not know',
    code(JSON.stringify({ uid: '0'.repeat(32) })),
    'none:',
    1,
    `ION has nothing that belongs to the code "{"uid":"#"}", ${NO_ACCESS}`,
  ],
  [
    'a pattern for a serial number',
    code('SN:SCAN-STARTED\r\n'),
    'one: SCAN-STARTED / Scan run started / Assemble',
    2,
  ],
  [
    'a pattern for a lot number with blanks',
    code('LOT:SCAN LOT 1'),
    'one: SCAN LOT 1 / Scan run lot / Assemble',
    2,
  ],
  [
    'a pattern that two units match',
    code('SN:SCAN-SHARED'),
    'several: | SCAN-SHARED / Scan run shared 1 / Assemble | SCAN-SHARED / Scan run shared 2 / Assemble',
    2,
  ],
  [
    'a pattern that two units match, one of them without open work',
    code('SN:FIND-REUSED'),
    'one: FIND-REUSED / Find run reused / Assemble',
    2,
  ],
  [
    'a pattern for a part number with a serial number',
    code('PN:EX-SCAN-2;SN:SCAN-SHARED'),
    'one: SCAN-SHARED / Scan run shared 2 / Assemble',
    2,
  ],
  [
    'a pattern for the title of a run',
    code('RUN:Scan run ready'),
    'one: SCAN-READY / Scan run ready / Assemble',
    2,
  ],
  [
    'a pattern for a title of 4,000 characters',
    code(`RUN:${LONG}`),
    `one: SCAN-LONG-TITLE / ${LONG.slice(0, 40)} / Assemble`,
    2,
  ],
  [
    'a pattern for a name with umlauts',
    code('LOC:Prüfplatz Süd 7'.normalize('NFC')),
    'one: Gehäuse Ä 7 / Prüfung Größe 7 / Assemble',
    2,
  ],
  [
    'patterns for a unit and for its run',
    code('BOTH:FIND-GRIND'),
    'one: FIND-GRIND / FIND-GRIND / Grind',
    2,
  ],
  ['a pattern for a number', code('47110815'), 'one: 47110815 / Find run numeric / Assemble', 2],
  [
    'patterns for a unit and for a kit',
    ({ lot }) => code(`ANY:${lot.kit?.id}`),
    'several: | 3 / Find run kit / Assemble',
    2,
    'The code "ANY:3" means 2 things: a kit, run # "Find run kit" of unit # of part "EX-1001" with serial number "3".',
  ],
  [
    'a pattern with the prefix of a scanner, which no pattern has',
    code(']C1SN:SCAN-STARTED'),
    'none:',
    1,
  ],
  [
    'a text that no pattern matches',
    code('example'),
    'none:',
    1,
    `ION has nothing that belongs to the code "example", ${NO_ACCESS}`,
  ],
];

/** Work that the cases of the sandbox do not have. */
function addFurtherCases(data: Store): void {
  const assemble = [{ title: 'Assemble' }];
  const inProgress = [{ title: 'Assemble', status: 'IN_PROGRESS' }] as const;
  addWork(data, { serial: 'FIND-REUSED', title: 'Find run reused', steps: assemble });
  addWork(data, {
    serial: 'FIND-REUSED',
    title: 'Find run reused',
    steps: [{ title: 'Assemble', status: 'COMPLETE' }],
  });
  const { unit } = addWork(data, {
    serial: 'FIND-TWO-RUNS',
    title: 'Find run ready',
    steps: assemble,
  });
  addRun(data, { title: 'Find run started', partInventoryId: unit, steps: inProgress });
  const both = addUnit(data, 'FIND-BOTH');
  for (const number of [1, 2]) {
    const title = `Find run both ${number}`;
    addRun(data, { title, partInventoryId: both, steps: inProgress });
  }
  addWork(data, {
    serial: 'FIND-NESTED',
    title: 'Find run nested',
    steps: [
      { title: 'Outer', status: 'IN_PROGRESS' },
      { title: 'Middle', status: 'IN_PROGRESS', inside: 'Outer' },
      { title: 'Inner', status: 'IN_PROGRESS', inside: 'Middle' },
    ],
  });
  addWork(data, {
    serial: 'FIND-CLOSED',
    title: 'Find run closed',
    steps: [{ title: 'Outer' }, { title: 'Inner', inside: 'Outer' }],
  });
  addWork(data, {
    serial: 'FIND-PARALLEL',
    title: 'Find run parallel',
    steps: [
      { title: 'Left', status: 'IN_PROGRESS' },
      { title: 'Right', status: 'IN_PROGRESS' },
    ],
  });
  const wide = Array.from({ length: 60 }, (_, i) => ({ title: `Wide ${i}`, fields: ['Torque'] }));
  addWork(data, { serial: 'FIND-WIDE', title: 'Find run wide', steps: wide });
  addWork(data, { serial: LONG_SERIAL, title: 'Find run long', steps: assemble });
  addWork(data, {
    serial: 'FIND-AGAIN',
    title: 'Find run again',
    steps: [{ title: 'Test', status: 'COMPLETE' }, { title: 'Test' }],
  });
  addWork(data, {
    serial: 'FIND-UMLAUT',
    title: 'Find run umlaut',
    steps: [{ title: 'Clean' }, { title: 'Prüfung 1'.normalize('NFC') }],
  });
  for (const title of ['7', '987654', '98765432109', 'Find run alone']) {
    addRun(data, { title, steps: assemble });
  }
  for (let times = 0; times < 2; times++)
    addRun(data, { title: 'Find run twice', steps: assemble });
  addLocation(data, 'Find station empty');
  addLocation(data, 'Find station twin');
  addLocation(data, 'Find station twin');
  const busy = addLocation(data, 'Find station busy');
  for (const number of [1, 2]) {
    addWork(data, {
      serial: `FIND-BUSY-${number}`,
      title: `Find run busy ${number}`,
      steps: [{ title: 'Paint', status: 'IN_PROGRESS', locationId: busy }],
    });
  }
  const station = addLocation(data, 'Find station 1');
  addWork(data, {
    serial: 'FIND-WELD',
    title: 'Find run weld',
    steps: [{ title: 'Weld', locationId: station }],
  });
  addWork(data, {
    serial: 'FIND-GRIND',
    title: 'FIND-GRIND',
    steps: [{ title: 'Grind', locationId: station }],
  });
  const waiting = addLocation(data, 'Find station waiting');
  addWork(data, {
    serial: 'FIND-WAITING',
    title: 'Find run waiting',
    steps: [
      { title: 'First', status: 'IN_PROGRESS' },
      { title: 'Second', after: 'First', locationId: waiting },
    ],
  });
  const full = addLocation(data, 'Find station full');
  const steps = Array.from({ length: 60 }, (_, i) => ({ title: `Full ${i}`, locationId: full }));
  addRun(data, { title: 'Find run full', steps });
  addWork(data, {
    serial: 'FIND-ORDER',
    title: 'Find run order',
    steps: [
      { title: 'Third', position: 2 },
      { title: 'First', position: 0 },
      { title: 'Second', position: 1 },
    ],
  });
  addWork(data, {
    serial: 'FIND-QUEUE',
    title: 'Find run queue',
    steps: [
      { title: 'First', status: 'HOLD' },
      { title: 'Second', after: 'First' },
      { title: 'Third', after: 'Second' },
    ],
  });
  addWork(data, {
    serial: 'FIND-RETEST',
    title: 'Find run retest',
    steps: [
      { title: 'Test', status: 'COMPLETE' },
      { title: 'Test', status: 'HOLD' },
    ],
  });
  addWork(data, { serial: 'FIND-CROWD', title: 'Find run crowd', steps: assemble });
  for (let times = 0; times < 50; times++) addUnit(data, 'FIND-CROWD');
  const rush = addLocation(data, 'Find station rush');
  addRun(data, {
    title: 'Find run rush',
    steps: Array.from({ length: 61 }, (_, i) => ({
      title: `Rush ${i}`,
      locationId: rush,
      ...(i === 60 && { status: 'IN_PROGRESS' as const }),
    })),
  });
  addRivals(data);
  addWork(data, {
    serial: '%',
    title: 'Find run percent',
    steps: [{ title: '100% _test_' }],
  });
  addWork(data, { serial: 'FIND-WORDS', title: 'Find run words', steps: [{ title: WORDS }] });
  addWork(data, { serial: '47110815', title: 'Find run numeric', steps: assemble });
  const patterns = data.table('BarcodePattern');
  const pattern = (entityType: string, expression: string) =>
    patterns.insert({ entityType, expression } as never);
  pattern('PARTS_INVENTORY', 'BOTH:(?P<serialNumber>.+)');
  pattern('RUNS', 'BOTH:(?P<title>.+)');
  pattern('PARTS_INVENTORY', '(?P<serialNumber>\\d{8})');
  pattern('PARTS_INVENTORY', 'ANY:(?P<serialNumber>\\d+)');
  pattern('PARTS_KITS', 'ANY:(?P<id>\\d+)');
}

/** Things that only seem to be what was looked for. */
function addRivals(data: Store): void {
  const assemble = [{ title: 'Assemble' }];
  const complete = [{ title: 'Assemble', status: 'COMPLETE' }] as const;
  const started = [{ title: 'Assemble', status: 'IN_PROGRESS' }] as const;
  const part = data.parts.find(({ partNumber }) => partNumber === 'EX-SCAN-2');
  const finished = addWork(data, {
    serial: 'FIND-FINISHED',
    title: 'Find run finished',
    steps: complete,
  });
  data.partInventories.update(finished.unit, { partId: part?.id ?? 0 });
  addWork(data, { serial: 'FIND-FINISHED', title: 'Find run unfinished', steps: assemble });
  const archived = addWork(data, {
    serial: 'FIND-ARCHIVED',
    title: 'Find run archived 1',
    steps: started,
  });
  addRun(data, { title: 'Find run archived 2', partInventoryId: archived.unit, steps: assemble });
  const away = addWork(data, {
    serial: 'FIND-PUT-AWAY',
    title: 'Find run put away',
    steps: started,
  });
  for (const { run } of [archived, away]) data.runs.update(run, { archived: true });
  addRun(data, { title: '0008', steps: assemble });
  for (const [title, steps] of [
    ['Find run common', started],
    ['Find run later', complete],
    ['Find run instead', [{ title: 'Assemble', status: 'CANCELED' }]],
  ] as const) {
    const serialNumber = title.replace('Find run ', 'FIND-').toUpperCase();
    addWork(data, { serial: `${serialNumber}-1`, title, steps });
    addWork(data, { serial: `${serialNumber}-2`, title, steps: assemble });
  }
  for (const [name, serialNumber, title] of [
    ['Find station pair', 'FIND-PAIR', 'Find run pair'],
    ['Find station moved', 'FIND-MOVED', 'Find run moved'],
    ['2', 'FIND-NUMBER', 'Find run number'],
  ] as const) {
    const locationId = addLocation(data, name);
    addWork(data, { serial: serialNumber, title, steps: [{ title: 'Assemble', locationId }] });
  }
  addLocation(data, 'Find station pair');
  data.locations.update(addLocation(data, 'Find station moved'), { archived: true });
  const [kit] = data.table('PartKit').all().slice(-1);
  addWork(data, { serial: String(kit?.id), title: 'Find run kit', steps: assemble });
}

describe('the work that a value means', () => {
  const ion = useSandbox({ runs: 60 });
  let cases: ScanCases;
  before(() => {
    cases = addScanCases(ion.sandbox.data);
    addFurtherCases(ion.sandbox.data);
  });

  for (const [what, rows] of Object.entries({
    'the serial number': BY_SERIAL,
    'the title': BY_TITLE,
    'the run,': BY_RUN,
    'the location,': BY_LOCATION,
    'the barcode:': BY_BARCODE,
    'this:': FURTHER,
  })) {
    for (const [name, query, answer, requests, reason] of rows) {
      it(`is found by ${what} ${name}: ${answer.split(':')[0]}, ${requests} request(s)`, async () => {
        const client = ion.client();
        const given = typeof query === 'function' ? query(cases) : query;
        const found = await find(client, given);
        assert.equal(answerLine(found.answer).normalize('NFC'), answer.normalize('NFC'));
        if (reason !== undefined) {
          assert.ok(found.answer.found !== 'one');
          assert.equal(withoutIds(found.answer.reason), reason);
        }
        assert.equal(ion.sandbox.control.counters().api.total, requests);
        assert.deepEqual([found.requests, found.attempts], [requests, requests]);
        assert.equal(
          found.answer.found === 'one' && 'fields' in found.answer.work,
          found.answer.found === 'one' && given.fields === true,
        );
      });
    }
  }
});

function withoutIds(reason: string): string {
  return reason
    .replace(/\b(unit|run|step|location) \d+/g, '$1 #')
    .replace(/"uid":"[0-9a-f]+"/g, '"uid":"#"');
}
