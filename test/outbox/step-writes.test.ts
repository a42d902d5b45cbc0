import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IonError } from '../../nodes/client/errors.js';
import { fileOf } from '../../nodes/client/steps/attachment-file.js';
import type { StepRequestOptions } from '../../nodes/client/steps/step-writer.js';
import type { Target } from '../../nodes/client/steps/target.js';
import type { DeliveryTry } from '../../nodes/outbox/entry-kind.js';
import {
  type NewStepWrite,
  type StepEntry,
  StepWrites,
  stepEntry,
} from '../../nodes/outbox/step-writes.js';

type Writer = ConstructorParameters<typeof StepWrites>[0];
type Attach = Writer['attach'];

const RESULT = { payload: {}, name: 'X', attempts: 1, traceId: undefined } as never;

describe('outbox: a write to a step', () => {
  const { signal } = new AbortController();
  let calls: [method: string, ...given: unknown[]][];
  let attach: (...given: Parameters<Attach>) => Promise<void>;
  let onWrite: Writer['write'];
  let saved: StepEntry[];
  /** IDs of runs that need no look-up. */
  let known: Map<unknown, string>;
  let partition: string;
  let folder: string;
  let entry: StepEntry;

  beforeEach(async () => {
    calls = [];
    saved = [];
    known = new Map();
    partition = 'q!5!';
    attach = async () => {};
    onWrite = async () => RESULT;
    folder = await mkdtemp(join(tmpdir(), 'ion-outbox-step-'));
    await writeFile(join(folder, '1'), 'a;b');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const untraced = { trace: undefined, origin: undefined };
  const kind = () =>
    new StepWrites({
      knownRun: ({ run }) => known.get(run),
      runOf: async (...given) => {
        calls.push(['runOf', ...given]);
        return '5';
      },
      write: (...given) => {
        calls.push(['write', ...given]);
        return onWrite(...given);
      },
      writeNotCreated: async (...given) => {
        calls.push(['writeNotCreated', ...given]);
        return RESULT;
      },
      writeStatus: async (...given) => {
        calls.push(['writeStatus', ...given]);
        return RESULT;
      },
      attachmentsOf: async (...given) => {
        calls.push(['attachmentsOf', ...given]);
        return [7];
      },
      attach: async (...given) => {
        calls.push(['attach', ...given]);
        await attach(...given);
        return RESULT;
      },
    });
  const entryOf = (more: Partial<NewStepWrite> = {}): StepEntry => {
    const write: NewStepWrite = {
      ...{ action: 'field', target: { step: 11, field: 'Torque' }, value: 5, onConflict: 'fail' },
      ...more,
    };
    const common = { sender: 'node', context: {}, acceptedAt: 0 };
    return { ...common, ...stepEntry(write).own } as StepEntry;
  };
  const deliver = (more?: Partial<NewStepWrite>) => {
    if (more || !entry) entry = entryOf(more);
    const attempt: DeliveryTry = {
      ...{ signal, isRepeated: false, sharesDocument: true, partition },
      filePath: join(folder, '1'),
      save: async () => {
        saved.push(structuredClone(entry));
      },
    };
    return kind().deliver(entry, attempt);
  };
  /** The knowledge of earlier tries that the last try to attach a file got. */
  const lastTry = () => (calls.at(-1)?.[4] ?? {}) as Record<string, unknown>;
  const file = { action: 'file', filename: 'report.csv', value: undefined } as const;

  it('to a field ends with the outbox, gives way to new messages and keeps its conflict policy', async () => {
    for (const startStep of [undefined, true] as const) {
      calls = [];
      await deliver(startStep && { startStep });
      const [[method, target, value, options] = []] = calls;
      assert.deepEqual([method, target, value], ['write', { step: 11, field: 'Torque' }, 5]);
      const { onStarted, mayGoTo, ...others } = options as Record<string, unknown>;
      assert.deepEqual(others, {
        ...{
          signal,
          isNew: false,
          sharesDocument: true,
          ...untraced,
          onConflict: 'fail',
          startStep: startStep === true,
        },
      });
    }
  });

  it('that sets a status is no value of a field', async () => {
    await deliver({ action: 'status', target: { step: 11 }, value: 'COMPLETE' });
    const [[method, target, value, options] = []] = calls;
    const { mayGoTo, ...others } = options as Record<string, unknown>;
    assert.deepEqual([method, target, value], ['writeStatus', { step: 11 }, 'COMPLETE']);
    assert.deepEqual(others, {
      ...{ signal, isNew: false, sharesDocument: true, onConflict: 'fail' },
      ...untraced,
    });
  });

  it('says that its step was started, also by an earlier try', async () => {
    onWrite = async (_target, _value, options) => {
      await (options as { onStarted(): Promise<void> }).onStarted();
      throw new IonError('ION_SERVER', 'No.');
    };
    await assert.rejects(deliver({ startStep: true }), { code: 'ION_SERVER', started: true });
    assert.deepEqual(
      saved.map(({ started }) => started),
      [true],
    );
    onWrite = async () => RESULT;
    assert.equal((await deliver()).started, true);
    assert.equal('started' in (await deliver({ value: 6 })), false);
    onWrite = async () => {
      throw new IonError('ION_SERVER', 'No.');
    };
    const isUnstarted = (error: IonError) => error.started === undefined;
    await assert.rejects(deliver({ value: 7 }), isUnstarted);
  });

  it('with a file remembers on the disk which attachments there were before', async () => {
    attach = async () => assert.deepEqual(saved.at(-1)?.attachmentsBefore, [7]);
    await deliver(file);
    const [[, ...asked] = [], [, target, content, options, earlier] = []] = calls;
    assert.deepEqual(asked, [{ step: 11, field: 'Torque' }, 'report.csv', options]);
    assert.deepEqual(target, { step: 11, field: 'Torque' });
    const { mayGoTo, ...others } = options as Record<string, unknown>;
    assert.deepEqual(others, { signal, isNew: false, sharesDocument: true, ...untraced });
    assert.equal((content as { filename: string }).filename, 'report.csv');
    assert.equal('before' in (earlier as object), false, 'nothing is looked up at the first try');

    await deliver();
    assert.deepEqual(lastTry().before, [7]);
    assert.equal(calls.filter(([method]) => method === 'attachmentsOf').length, 1);
  });

  it('with a file remembers the attachment that it created', async () => {
    const attachment = { id: 8 };
    attach = async (...[, , , about]) => {
      await about?.created?.(attachment as never);
      throw new IonError('ION_NETWORK', 'No.');
    };
    await assert.rejects(deliver(file));
    assert.deepEqual(saved.at(-1)?.attachment, attachment);
    attach = async () => {};
    await deliver();
    assert.deepEqual(lastTry().attachment, attachment);
  });

  it('with a file remembers whether its bytes were there each time that ION was asked', async () => {
    /** The stored state after ION was asked, with or without the bytes. */
    const askedAfter = async (...uploads: boolean[]) => {
      attach = async (...[, , , about]) => {
        for (const isUploaded of uploads) await about?.creating?.(isUploaded);
      };
      await deliver();
      attach = async (...[, , , about]) => {
        isFirst = about?.isUploadedFirst;
      };
      await deliver();
      return [entry.asked, isFirst];
    };
    let isFirst: boolean | undefined;
    await deliver(file);
    assert.deepEqual(await askedAfter(true), ['afterUpload', true]);
    const { length } = saved;
    assert.deepEqual(await askedAfter(true), ['afterUpload', true]);
    assert.equal(saved.length, length, 'nothing new is written to the disk');
    assert.deepEqual(await askedAfter(false), ['beforeUpload', false]);
    assert.equal(saved.at(-1)?.asked, 'beforeUpload');
    assert.deepEqual(await askedAfter(true), ['beforeUpload', false]);
    // An earlier version did not store it.
    delete entry.asked;
    assert.deepEqual(await askedAfter(true), ['beforeUpload', false]);
  });

  it('is restored without the traces of earlier tries', () => {
    const plain = entryOf(file);
    const attachment = { id: 8 } as never;
    const tried: StepEntry = { ...plain, attachmentsBefore: [1], attachment, asked: 'never' };
    assert.deepEqual(kind().restored({ ...tried, started: true }), plain);
  });

  it('belongs to the queue of its run, which is looked up for a step', async () => {
    const steps = kind();
    assert.equal(steps.orderKey(entryOf()), undefined);
    assert.equal(await steps.findOrderKey(entryOf(), signal), '5');
    assert.deepEqual(calls, [
      [
        'runOf',
        { step: 11, field: 'Torque' },
        { signal, isNew: false, sharesDocument: true, trace: undefined },
      ],
    ]);
    assert.equal(steps.unknownOrderKey(entryOf()), 'unknown run of 11');
    assert.equal(steps.unknownOrderKey(entryOf({ target: { field: 4 } })), 'unknown run of 4');
    assert.equal(steps.isGuessed(entryOf()), false);
  });

  for (const run of [3, '3', ' 003 ', 'Torque test', '20-7']) {
    it(`belongs to the queue of run ${JSON.stringify(run)}, which may be an ID, a title or a serial number`, async () => {
      const steps = kind();
      const entry = entryOf({ target: { run, step: 'A' } });
      assert.equal(steps.orderKey(entry), undefined);
      assert.equal(await steps.findOrderKey(entry, signal), '5');
      assert.equal(calls.length, 1);
      known.set(run, '7');
      assert.equal(steps.orderKey(entry), '7');
      assert.equal(await steps.findOrderKey(entry, signal), '7');
      assert.equal(calls.length, 1, 'ION is not asked for a known run');
    });
  }

  it('by a number that ION could not be asked for is in the queue of that ID, and later ones at once', async () => {
    const steps = kind();
    const of = (run: string | number) => entryOf({ target: { run, step: 'A' } });
    assert.deepEqual([steps.isGuessed(of('003')), steps.isGuessed(of('A 3'))], [true, false]);
    assert.equal(steps.unknownOrderKey(of('003')), '3');
    assert.equal(steps.orderKey(of(3)), '3');
    assert.equal(steps.orderKey(of(4)), undefined);
    assert.equal(await steps.findOrderKey(of(3), signal), '3');
    known.set(3, '8');
    assert.equal(steps.orderKey(of(3)), '8', 'what ION says counts first');
    assert.equal(steps.unknownOrderKey(of(' A  3')), 'unknown run A 3');
    assert.equal(steps.orderKey(of('A 3')), undefined);
    assert.equal(calls.length, 0);
  });

  it('goes to no other run than the one in whose queue it is', async () => {
    const mayGo = async (run: string | number, to: string) => {
      calls = [];
      await deliver({ target: { run, step: 'A' } });
      const [, , , { mayGoTo }] = calls[0] as [string, Target, unknown, StepRequestOptions];
      return mayGoTo?.(to);
    };
    for (const [run, queue, to, expected] of [
      ['Title', 'q!5!', '5', true],
      ['Title', 'q!5!', '6', false],
      ['Title', 'q!55!', '5', false],
      ['5', 'q!5!', '5', true],
      [' 005', 'q!5!', '5', true],
      // Nobody knew at first that it was no ID.
      ['5', 'q!5!', '6', true],
      // Version 1.0.0 took each text as an ID.
      ['A title', 'q!A%20title!', '6', true],
      ['A title', 'q!unknown%20run%20A%20title!', '6', true],
      ['A title', 'q!unknown%20run%20of%20A%20title!', '6', false],
    ] as const) {
      partition = queue;
      assert.equal(await mayGo(run, to), expected, JSON.stringify([run, queue, to]));
    }
  });

  it('is readable with a known action and a target only', () => {
    const isValid = (write: unknown) => kind().isValid({ ...entryOf(), write } as StepEntry);
    for (const action of ['field', 'status', 'file']) assert.ok(isValid({ action, target: {} }));
    for (const write of [
      undefined,
      {},
      { action: 'note', target: {} },
      { action: 'field', target: null },
      { action: 'field', target: 'x' },
      { action: 'field' },
    ]) {
      assert.equal(isValid(write), false, JSON.stringify(write));
    }
  });

  it('is shown by its target and its value, in short; a file by its name', () => {
    const target = { run: 'x'.repeat(500), step: 11, missing: { field: 'No msg.field.' } };
    const summary = kind().summary(entryOf({ target, value: 5 }));
    assert.deepEqual(Object.keys(summary.target), ['run', 'step']);
    assert.ok(String(summary.target.run).length < 300);
    assert.equal(summary.target.step, 11);
    assert.equal(summary.value, '5');
    const shown = kind().summary(entryOf({ ...file, filename: 'y'.repeat(500) }));
    assert.ok(String(shown.filename).length < 300);
    assert.deepEqual([shown.action, 'value' in shown], ['file', false]);
  });

  it('with the latest value only replaces one for the same fields, in whatever order', () => {
    const replaces = (target: object, value: unknown, latestOnly = true) =>
      (
        stepEntry({ action: 'field', target, value, onConflict: 'fail', latestOnly })
          .own as StepEntry
      ).replaces;
    const step = { run: 1, step: 11 };
    assert.equal(replaces({ ...step, field: 'A' }, 1, false), undefined);
    assert.equal(replaces({ ...step, field: 'A' }, 1), replaces({ ...step, field: 'A' }, { B: 2 }));
    assert.equal(replaces(step, { A: 1, B: 2 }), replaces(step, { B: 3, A: 4 }));
    const others = [
      replaces(step, { A: 1 }),
      replaces(step, { A: 1, B: 2 }),
      replaces({ ...step, field: 'A' }, 1),
      replaces({ ...step, field: 'B' }, 1),
      replaces({ run: 2, step: 11, field: 'A' }, 1),
      replaces({ run: 1, step: 12, field: 'A' }, 1),
    ];
    assert.equal(new Set(others).size, others.length);
  });

  it('with a file has its size and its content beside it', async () => {
    const { own, content } = stepEntry({
      ...{ ...file, target: { step: 11 }, onConflict: 'fail' },
      file: fileOf('report.csv', 'a;b'),
    });
    assert.equal((own as StepEntry).fileSize, 3);
    let text = '';
    for await (const chunk of content ?? []) text += Buffer.from(chunk);
    assert.equal(text, 'a;b');
    assert.equal(JSON.stringify(own).includes('read'), false);
  });
});
