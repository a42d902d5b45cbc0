// Sends hostile input of every kind to a real Node-RED process, case after case, and counts their
// outcomes: a correct response, a clear error, or a finding.
import { adminRequests } from './admin-requests.js';
import { apiAnswers, renew } from './api-answers.js';
import { flowFiles } from './flow-files.js';
import type { Gap } from './inside.js';
import { FuzzIon } from './ion.js';
import { messages } from './messages.js';
import { type Bench, Finding, type FuzzCase, judgeMessage, type Surface } from './surface.js';
import { Target, TargetLost } from './target.js';
import { tokenAnswers } from './token-answers.js';
import { Random } from './values.js';
import { webhookRequests } from './webhook-requests.js';

export const surfaces: readonly Surface[] = [
  apiAnswers,
  tokenAnswers,
  webhookRequests,
  adminRequests,
  messages,
  flowFiles,
];

/**
 * Machines that talk to this Node-RED notice a longer stop, in ms of CPU time. An idle machine needs
 * less than 100; beside other tests the same work takes three to five times that.
 */
export const MAX_STOP_MS = 400;
export const MAX_GROWTH_MB = 10;
/** The share of a stop from which it counts as Node-RED's own, if the control case stops as well. */
const CORE_SHARE = 0.6;
/** Cases of one surface before the next has its turn. */
const BATCH = 12;
const WARM_UP_SEED = 1;
const WARM_UP_BATCHES = 2;
const MAX_TEXT = 3000;
/** So that a run with a finding in each case still ends. */
const MAX_FINDINGS = 200;

export interface FuzzOptions {
  seed: number;
  seconds: number;
  /** Folder of the process. */
  folder: string;
  /** Only this case, such as `messages:17`. */
  only?: string | undefined;
  /** Starts another process after an exit, to find more. */
  goesOn?: boolean;
  log(text: string): void;
}

interface Count {
  cases: number;
  right: number;
  clear: number;
  exits: number;
  stops: number;
  longest: Gap;
  longestCase: string;
}

export interface FuzzReport {
  counts: Map<string, Count>;
  findings: string[];
  growthMb: number;
}

/** One run: a Node-RED process and all its servers. */
export class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #ion: FuzzIon;
  #target: Target | undefined;
  readonly #numbers = new Map<string, number>();
  #counts = new Map<string, Count>();
  readonly #findings: string[] = [];
  #isLost = false;

  static async start(options: FuzzOptions): Promise<FuzzRun> {
    const run = new FuzzRun(options, await FuzzIon.start());
    try {
      run.#target = await Target.start(options.folder, run.#ion.url);
      return run;
    } catch (thrown) {
      await run.close();
      throw thrown;
    }
  }

  private constructor(options: FuzzOptions, ion: FuzzIon) {
    this.#options = options;
    this.#ion = ion;
  }

  async run(): Promise<FuzzReport> {
    const { seed, seconds, only } = this.#options;
    if (only) {
      await this.#one(only);
      return this.#report(0);
    }
    await this.#warmUp(WARM_UP_BATCHES);
    const before = await this.#heap();
    const first = this.#target;
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end && !this.#isOver()) await this.#round(seed, BATCH);
    // A new process starts with empty state.
    const growth = this.#target !== first ? 0 : (await this.#heap()) - before;
    return this.#report(growth / 1024 / 1024);
  }

  async close(): Promise<void> {
    await this.#target?.stop();
    await this.#ion.close();
  }

  get #bench(): Bench {
    return { target: this.#target as Target, ion: this.#ion };
  }

  #isOver(): boolean {
    return this.#isLost || this.#findings.length >= MAX_FINDINGS;
  }

  /** The cases of each surface, in turn. */
  async #round(seed: number, batch: number): Promise<void> {
    for (const surface of surfaces) {
      for (let left = batch; left > 0 && !this.#isOver(); left--) {
        const number = (this.#numbers.get(surface.name) ?? 0) + 1;
        this.#numbers.set(surface.name, number);
        await this.#case(surface, seed, number);
      }
      if (!this.#isOver()) await this.#stillWorks(surface, seed);
    }
  }

  /** Fills caches and compiles code in use. Its cases count like all others. */
  async #warmUp(batches: number): Promise<void> {
    for (let count = 0; count < batches && !this.#isOver(); count++)
      await this.#round(WARM_UP_SEED, BATCH);
    this.#numbers.clear();
  }

  async #one(only: string): Promise<void> {
    const [name, number] = only.split(':');
    const surface = surfaces.find((each) => each.name === name);
    if (!surface)
      throw new Error(`no surface "${name}": ${surfaces.map((each) => each.name).join(', ')}`);
    await this.#case(surface, this.#options.seed, Number(number));
    if (!this.#isOver()) await this.#stillWorks(surface, this.#options.seed);
  }

  async #case(surface: Surface, seed: number, number: number): Promise<void> {
    const count = this.#countOf(surface);
    count.cases++;
    const seeds = [seed, surface.name, number];
    let fuzzCase: FuzzCase | undefined;
    try {
      fuzzCase = surface.make(new Random(...seeds), this.#bench, seeds);
      const { outcome, gap, problem } = await this.#measured(fuzzCase);
      if (lengthOf(gap) > lengthOf(count.longest)) {
        count.longest = gap;
        count.longestCase = `${seed}/${number}: ${fuzzCase.what}`;
      }
      if (problem) this.#found(surface, seed, number, fuzzCase, problem);
      else if (outcome) count[outcome]++;
      if (isStop(gap)) await this.#stopped(surface, seed, number, fuzzCase, gap);
    } catch (thrown) {
      this.#ion.answerBy();
      if (thrown instanceof TargetLost) await this.#lost(surface, seed, number, fuzzCase, thrown);
      else throw thrown;
    }
  }

  async #measured(fuzzCase: FuzzCase) {
    const { target } = this.#bench;
    await target.begin();
    let outcome: 'right' | 'clear' | undefined;
    let problem: string | undefined;
    try {
      outcome = await fuzzCase.run();
    } catch (thrown) {
      if (thrown instanceof TargetLost) throw thrown;
      problem = thrown instanceof Finding ? thrown.message : `failed: ${String(thrown)}`;
    }
    const { longest: gap, unclear } = await target.end();
    problem ??= unclear[0] ?? (await target.strayFiles());
    return { outcome, gap, problem };
  }

  /**
   * A stop counts if it repeats with the same case, because a first compilation or the garbage
   * collection of earlier cases is not caused by the input, and only if Node-RED does not need most
   * of it for the same case without this package.
   */
  async #stopped(
    surface: Surface,
    seed: number,
    number: number,
    fuzzCase: FuzzCase,
    gap: Gap,
  ): Promise<void> {
    // The nodes look up only unknown things again.
    await renew(this.#bench);
    const again = await this.#measured(fuzzCase);
    if (!isStop(again.gap)) return;
    if (fuzzCase.control) {
      const control = await this.#measured({
        what: fuzzCase.what,
        run: () => (fuzzCase.control as () => Promise<void>)().then(() => 'right' as const),
      });
      if (lengthOf(control.gap) > lengthOf(again.gap) * CORE_SHARE) return;
    }
    this.#countOf(surface).stops++;
    const text = `the event loop stopped for ${describe(gap)}, and again for ${describe(again.gap)}`;
    this.#found(surface, seed, number, fuzzCase, text);
  }

  /** After everything, a good query still gets its correct response. */
  async #stillWorks(surface: Surface, seed: number): Promise<void> {
    const number = this.#numbers.get(surface.name) ?? 0;
    try {
      const { outcome, code } = await judgeMessage(this.#bench, { node: 'good-query', msg: {} });
      if (outcome !== 'right')
        this.#found(surface, seed, number, undefined, `afterwards a good query gets ${code}`);
      if (surface !== flowFiles && surface !== tokenAnswers) await renew(this.#bench);
    } catch (thrown) {
      if (thrown instanceof TargetLost) await this.#lost(surface, seed, number, undefined, thrown);
      else this.#found(surface, seed, number, undefined, `afterwards: ${String(thrown)}`);
    }
  }

  #found(
    surface: Surface,
    seed: number,
    number: number,
    fuzzCase: FuzzCase | undefined,
    text: string,
  ): void {
    const replay = `FUZZ_SEED=${seed} FUZZ_CASE='${surface.name}:${number}'`;
    const finding = `${surface.name}, case ${number}: ${text.slice(0, MAX_TEXT)}\n    input: ${(fuzzCase?.what ?? 'the batch before it').slice(0, 600)}\n    ${replay}`;
    this.#findings.push(finding);
    this.#options.log(`finding: ${finding}`);
  }

  async #lost(
    surface: Surface,
    seed: number,
    number: number,
    fuzzCase: FuzzCase | undefined,
    thrown: TargetLost,
  ): Promise<void> {
    const { target } = this.#bench;
    const state = target.isRunning ? 'Node-RED does not answer any more' : 'Node-RED ended';
    const text = `${state} (${thrown.message}). Its log ends:\n${target.log}`;
    await this.#restart();
    if (fuzzCase?.control && !(await this.#survives(fuzzCase.control))) return;
    this.#countOf(surface).exits++;
    this.#found(surface, seed, number, fuzzCase, text);
    this.#isLost = !this.#options.goesOn;
  }

  /** Whether Node-RED itself survives a case without this package. */
  async #survives(control: () => Promise<void>): Promise<boolean> {
    try {
      await control();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof TargetLost)) throw thrown;
      await this.#restart();
      return false;
    }
  }

  async #restart(): Promise<void> {
    await this.#target?.kill();
    this.#target = await Target.start(this.#options.folder, this.#ion.url);
  }

  /** After a deploy, which clears the nodes' caches. */
  async #heap(): Promise<number> {
    await renew(this.#bench);
    await judgeMessage(this.#bench, { node: 'good-query', msg: {} });
    return this.#bench.target.heap();
  }

  #countOf({ name }: Surface): Count {
    let count = this.#counts.get(name);
    if (!count) {
      count = {
        cases: 0,
        right: 0,
        clear: 0,
        exits: 0,
        stops: 0,
        longest: { wall: 0, cpu: 0 },
        longestCase: '',
      };
      this.#counts.set(name, count);
    }
    return count;
  }

  #report(growthMb: number): FuzzReport {
    return { counts: this.#counts, findings: this.#findings, growthMb };
  }
}

function isStop({ wall, cpu }: Gap): boolean {
  return wall > MAX_STOP_MS && cpu > MAX_STOP_MS;
}

function lengthOf({ wall, cpu }: Gap): number {
  return Math.min(wall, cpu);
}

function describe({ wall, cpu }: Gap): string {
  return `${wall.toFixed(0)} ms (${cpu.toFixed(0)} ms of CPU)`;
}

/** One line for each surface, and the sums. */
export function table({ counts, growthMb }: FuzzReport): string {
  const head = [
    'surface',
    'cases',
    'right answers',
    'clear errors',
    'exits',
    'stops',
    'longest stop',
    'in case',
  ];
  const rows = [...counts].map(([name, each]) => [
    name,
    ...[each.cases, each.right, each.clear, each.exits, each.stops].map(String),
    `${lengthOf(each.longest).toFixed(0)} ms`,
    each.longestCase.slice(0, 90),
  ]);
  const sums = [1, 2, 3, 4, 5].map((column) =>
    String(rows.reduce((sum, row) => sum + Number(row[column]), 0)),
  );
  rows.push(['all', ...sums, '', `memory: ${growthMb >= 0 ? '+' : ''}${growthMb.toFixed(1)} MB`]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}
