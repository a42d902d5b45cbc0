import assert from 'node:assert/strict';
import { newTraceContext, readTraceContext } from '../../../nodes/client/http/trace-context.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';
const VALID = `00-${TRACE_ID}-${PARENT_ID}-01`;

describe('the trace of a message', () => {
  const traceparentOf = (traceparent: unknown) => readTraceContext(traceparent)?.traceparent;

  it('is sent on as it is, with any flags of version 00', () => {
    for (const flags of ['00', '01', '02', '03', 'ff']) {
      const traceparent = `00-${TRACE_ID}-${PARENT_ID}-${flags}`;
      assert.equal(traceparentOf(traceparent), traceparent);
    }
  });

  for (const [what, traceparent] of Object.entries({
    'of another type': 5,
    'a list': [VALID],
    empty: '',
    'too short': VALID.slice(0, -1),
    'too long': `${VALID}0`,
    'followed by a part that version 00 does not have': `${VALID}-what`,
    'in upper case': VALID.toUpperCase(),
    'followed by a line break': `${VALID}\n`,
    'followed by a header': `${VALID}\r\nx-other: 1`,
    'without a trace': `00-${'0'.repeat(32)}-${PARENT_ID}-01`,
    'without a parent': `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    'of the forbidden version': `ff-${TRACE_ID}-${PARENT_ID}-01`,
    'with other separators': VALID.replaceAll('-', '_'),
    'with other digits': VALID.replace('4b', 'xy'),
  })) {
    it(`is ignored if it is ${what}`, () => {
      assert.equal(readTraceContext(traceparent, 'a=1'), undefined);
    });
  }

  it('of a later version is sent as version 00, with the flag for sampled traces only', () => {
    for (const [given, flags] of [
      [`01-${TRACE_ID}-${PARENT_ID}-01`, '01'],
      [`01-${TRACE_ID}-${PARENT_ID}-ff`, '01'],
      [`cc-${TRACE_ID}-${PARENT_ID}-00-what-the-future-brings`, '00'],
      [`fe-${TRACE_ID}-${PARENT_ID}-02-`, '00'],
    ]) {
      assert.equal(traceparentOf(given), `00-${TRACE_ID}-${PARENT_ID}-${flags}`);
    }
    assert.equal(traceparentOf(`01-${TRACE_ID}-${PARENT_ID}-01x`), undefined);
    assert.equal(traceparentOf(`01-${TRACE_ID}-${PARENT_ID}-01-a\nb`), undefined);
  });

  it('has its tracestate, if that is short and printable ASCII', () => {
    const tracestateOf = (tracestate: unknown) => readTraceContext(VALID, tracestate)?.tracestate;
    for (const good of ['vendor=t61rcWkgMzE,other=00f067aa0ba902b7', `a=${'x'.repeat(510)}`]) {
      assert.equal(tracestateOf(good), good);
    }
    for (const bad of [
      '',
      `a=${'x'.repeat(511)}`,
      'a=1\r\nb: 2',
      'a=\t1',
      'a=é',
      'a=\x7f',
      5,
      {},
    ]) {
      assert.deepEqual(readTraceContext(VALID, bad), {
        traceparent: VALID,
      });
    }
    assert.equal(readTraceContext(undefined, 'a=1'), undefined);
  });

  it('that is made is valid, and another one each time', () => {
    const made = Array.from({ length: 100 }, newTraceContext);
    for (const trace of made) assert.deepEqual(readTraceContext(trace.traceparent), trace);
    const ids = made.flatMap(({ traceparent }) => traceparent.split('-').slice(1, 3));
    assert.equal(new Set(ids).size, 200);
    assert.ok(made.every(({ traceparent }) => traceparent.endsWith('-01')));
  });
});
