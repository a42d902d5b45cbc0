import type { NodeStatus, StatusText } from '../shared/node-status.js';

/** The parts of a webhook that need a correction by the user. */
export type Problem = 'route' | 'secret' | 'registration' | 'password';

/** The status of a webhook: its first problem, or the number of rejected or of sent events. */
export class WebhookStatus {
  readonly #status: NodeStatus;
  /** Keys of the catalogue. */
  readonly #problems = new Map<Problem, string>();
  #isDryRun = false;
  #sent = 0;
  #rejected = 0;

  constructor(status: NodeStatus) {
    this.#status = status;
  }

  countSent(): void {
    this.#sent++;
    this.show();
  }

  countRejected(): void {
    this.#rejected++;
    this.show();
  }

  /** The webhook is not registered, because that takes mutations. */
  setDryRun(): void {
    this.#isDryRun = true;
    this.show();
  }

  /** @returns whether the problem is a new one, to be reported */
  setProblem(about: Problem, key: string): boolean {
    const isNew = this.#problems.get(about) !== key;
    this.#problems.set(about, key);
    this.show();
    return isNew;
  }

  clearProblem(about: Problem): void {
    if (this.#problems.delete(about)) this.show();
  }

  show(): void {
    this.#status.idle(this.#text());
  }

  #text(): StatusText {
    const [problem] = this.#problems.values();
    const isDryRun = this.#isDryRun;
    if (problem) return { key: problem, fill: 'red', isDryRun };
    if (this.#rejected > 0)
      return { key: 'events.rejected', fill: 'yellow', count: this.#rejected, isDryRun };
    if (isDryRun) {
      return { key: 'events.notSent', fill: 'grey', count: this.#sent, isDryRun };
    }
    return { key: 'events.received', fill: 'green', count: this.#sent };
  }
}
