import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { useTemporaryFolder } from '../../tools/package.js';
import { byLength } from '../support/length.js';
import { FuzzRun, MAX_GROWTH_MB, table } from './fuzz.js';

/** `FUZZ_SEED=… FUZZ_SECONDS=…` repeats a run, `FUZZ_CASE='messages:17'` one case of it. */
const { FUZZ_SEED, FUZZ_SECONDS, FUZZ_CASE, FUZZ_GO_ON } = process.env;
const SEED = Number(FUZZ_SEED ?? randomInt(1, 2 ** 31));
const SECONDS = Number(FUZZ_SECONDS ?? byLength({ soak: 3600, usual: 60, brief: 30 }));
/** Extra time for the process to start, warm up and clean up. */
const MORE_MS = 240_000;

describe('hostile external input', () => {
  const folder = useTemporaryFolder();
  let run: FuzzRun | undefined;
  after(() => run?.close());

  it(`gets a correct response or a clear error for ${SECONDS} s, and never ends or blocks the process`, async function () {
    this.timeout(SECONDS * 1000 + MORE_MS);
    const replay = `FUZZ_SEED=${SEED} FUZZ_SECONDS=${SECONDS} npx mocha test/fuzz/fuzz.test.ts`;
    console.log(`      ${replay}`);
    run = await FuzzRun.start({
      seed: SEED,
      seconds: SECONDS,
      folder: folder.path,
      only: FUZZ_CASE,
      goesOn: FUZZ_GO_ON === 'true',
      log: (text) => console.log(indented(text)),
    });
    const report = await run.run();
    console.log(indented(table(report)));
    assert.equal(report.findings.length, 0, `${report.findings.join('\n\n')}\n\n${replay}`);
    const { growthMb } = report;
    assert.ok(growthMb < MAX_GROWTH_MB, `${growthMb.toFixed(1)} MB more. ${replay}`);
  });
});

function indented(text: string): string {
  return text.replace(/^/gm, '      ');
}
