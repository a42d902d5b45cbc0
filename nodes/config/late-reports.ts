import type { OutboxListener } from '../outbox/listeners.js';
import type { Deploys } from './deploys.js';

type Report = (listener: OutboxListener) => void;

/** Limit for the reports of one deploy, because each holds a message. */
const MAX_REPORTS = 10_000;

/** Keeps the reports for nodes that a deploy is replacing, until they exist again. */
export class LateReports {
  readonly #deploys: Pick<Deploys, 'isUnderWay' | 'ended'>;
  readonly #listenerOf: (sender: string) => OutboxListener | undefined;
  #reports: { sender: string; report: Report }[] = [];

  constructor(
    deploys: Pick<Deploys, 'isUnderWay' | 'ended'>,
    listenerOf: (sender: string) => OutboxListener | undefined,
  ) {
    this.#deploys = deploys;
    this.#listenerOf = listenerOf;
  }

  /** A report for a sender that does not listen now; without a deploy, the node was deleted. */
  add(sender: string, report: Report): void {
    if (!this.#deploys.isUnderWay || this.#reports.length >= MAX_REPORTS) return;
    if (this.#reports.length === 0) void this.#deploys.ended.then(() => this.#send());
    this.#reports.push({ sender, report });
  }

  #send(): void {
    const reports = this.#reports;
    this.#reports = [];
    for (const { sender, report } of reports) {
      const listener = this.#listenerOf(sender);
      if (listener) report(listener);
    }
  }
}
