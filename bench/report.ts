import { spread, unsteadiness } from './statistics.js';

/** Beyond it, the median of neighbouring runs says too little. */
const MAX_UNSTEADINESS = 0.08;

/** Output of a part of the benchmark, on the console and in docs/benchmarks.md. */
export class Report {
  readonly lines: string[] = [];
  failures = 0;

  heading(text: string): void {
    this.#add('', `## ${text}`, '');
  }

  text(text: string): void {
    this.#add(text, '');
  }

  table(head: string[], rows: (string | number)[][]): void {
    const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
    this.#add(line(head), line(head.map(() => '---')), ...rows.map(line), '');
  }

  /** One criterion, as a PASS or FAIL line. */
  check(holds: boolean, text: string): void {
    if (!holds) this.failures++;
    this.#add(`- **${holds ? 'PASS' : 'FAIL'}** ${text}`);
  }

  /**
   * One criterion, from the ratios of neighbouring runs: their median must not exceed a limit. Nothing
   * is judged if they differ too much.
   */
  checkRatios(values: readonly number[], most: number, text: string): void {
    const { min, median, max } = spread(values);
    const shown = `${median.toFixed(2)} of ${text} (at most ${most.toFixed(2)}; ${min.toFixed(2)} to ${max.toFixed(2)})`;
    if (unsteadiness(values) <= MAX_UNSTEADINESS) {
      this.check(median <= most, shown);
      return;
    }
    this.failures++;
    this.#add(`- **NOT JUDGED** ${shown}: the machine was too unsteady`);
  }

  #add(...lines: string[]): void {
    this.lines.push(...lines);
    for (const line of lines) console.log(line);
  }
}
