/** The output of a part of the benchmark, printed and written to docs/benchmarks.md. */
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

  /** One requirement, as a line under "Done". */
  check(holds: boolean, text: string): void {
    if (!holds) this.failures++;
    this.#add(`- **${holds ? 'PASS' : 'FAIL'}** ${text}`);
  }

  #add(...lines: string[]): void {
    this.lines.push(...lines);
    for (const line of lines) console.log(line);
  }
}
