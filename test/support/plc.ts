import assert from 'node:assert/strict';
import { RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { type Palette, usePalettes } from '../../tools/palettes.js';
import { useSandbox } from './sandbox.js';
import { makeStep, type StepForTests, type TestField } from './steps.js';
import { until } from './until.js';

/** A machine's controller, with the server that Node-RED reads. */
export interface Plc {
  /** Gives the example its address. */
  readonly env: Record<string, string>;
  set(state: number, run: number): void;
  /** From now on it returns no values. */
  setUnknown(): void;
  /** Waits until Node-RED has read the current values. */
  wasRead(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const IDLE = 0;
const RUNNING = 1;
const DONE = 2;
const FAULT = 3;

export interface PlcExample {
  file: string;
  palette: Palette;
  /** A running PLC, with a folder for its files. */
  plc: (folder: string) => Promise<Plc>;
  changes?: Record<string, object>;
}

/** Tests of an example in which a PLC moves a step, for any protocol. */
export function plcMovesAStep({ file, palette, plc: startPlc, changes = {} }: PlcExample): void {
  usePalettes();
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let plc: Plc;
  let example: RunningExample;
  let found: StepForTests;

  const proofTest = (fields: TestField[] = []) =>
    makeStep(ion.client(), fields, { title: 'Proof test', status: 'TODO' });
  const statusOf = ({ step }: StepForTests) => ion.sandbox.data.runSteps.get(step)?.status;
  const becomes = (step: StepForTests, status: string) => until(() => statusOf(step) === status);
  const showsOf = (id: string) =>
    example.nodeRed.events
      .filter(({ topic, data }) => topic === 'debug' && data.id === example.prefix + id)
      .map(({ data }) => String(data.msg));
  const shows = async (id: string, text: RegExp) => {
    await example.nodeRed.until(() => showsOf(id).some((shown) => text.test(shown)));
  };

  before(async () => {
    found = await proofTest();
    plc = await startPlc(folder.path);
    plc.set(RUNNING, found.run);
    example = await RunningExample.start(file, {
      folder: folder.path,
      sandbox: ion.sandbox,
      palettes: [palette],
      env: plc.env,
      changes,
    });
    await plc.wasRead();
  });
  after(async () => {
    await example?.stop();
    await plc?.stop();
  });

  it('reports neither the initial state nor an idle machine', async () => {
    const step = await proofTest();
    plc.set(IDLE, step.run);
    await plc.wasRead();
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    assert.equal(statusOf(found), 'TODO');
    assert.ok(showsOf('refused').every((shown) => !shown.includes('not 0')));
  });

  it('starts and completes the step of the run that the PLC names', async () => {
    const step = await proofTest();
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    plc.set(DONE, step.run);
    await becomes(step, 'COMPLETE');
    await shows('moved', /COMPLETE/);
  });

  it('sets a step to failed, and starts it again', async () => {
    const step = await proofTest();
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    plc.set(FAULT, step.run);
    await becomes(step, 'FAILED');
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
  });

  it('shows writes that ION rejects', async () => {
    const step = await proofTest([{ name: 'Pressure', type: 'NUMBER', required: true }]);
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    plc.set(DONE, step.run);
    await shows('refused', /required fields are empty: \\?"Pressure/);
    assert.equal(statusOf(step), 'IN_PROGRESS');

    plc.set(RUNNING, 65_535);
    await shows('refused', /65535/);
  });

  it('shows an unknown state', async () => {
    plc.set(9, found.run);
    await shows('refused', /The status must be a text .*, not 9/);
  });

  it('reports a state once, also if the PLC had no values in between', async () => {
    const step = await proofTest();
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    const { executed } = ion.sandbox.control.counters();
    plc.setUnknown();
    await plc.wasRead();
    plc.set(RUNNING, step.run);
    await plc.wasRead();
    plc.set(DONE, step.run);
    await becomes(step, 'COMPLETE');
    assert.equal(
      ion.sandbox.control.counters().executed.updateRunStep,
      (executed.updateRunStep ?? 0) + 1,
    );
  });

  it('reports changes during a lost connection to the PLC', async () => {
    const step = await proofTest();
    plc.set(RUNNING, step.run);
    await becomes(step, 'IN_PROGRESS');
    await plc.stop();
    plc.set(DONE, step.run);
    await plc.start();
    await becomes(step, 'COMPLETE');
  });
}
