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

  #add(...lines: string[]): void {
    this.lines.push(...lines);
    for (const line of lines) console.log(line);
  }
}
