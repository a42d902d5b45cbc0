import type { Labels, Sample } from './metric-text.js';

/** Counts observed values by their size. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** One for each bound, and one for larger values. */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds the upper bounds of the buckets, inclusive and ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > Number(this.#bounds[index])) index++;
    this.#counts[index] = Number(this.#counts[index]) + 1;
    this.#sum += value;
  }

  samples(labels: Labels): Sample[] {
    let total = 0;
    const buckets = this.#counts.map((count, index): Sample => {
      total += count;
      const le = boundText(this.#bounds[index]);
      return { suffix: '_bucket', labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { suffix: '_sum', labels, value: this.#sum },
      { suffix: '_count', labels, value: total },
    ];
  }
}

/** With a decimal point, as OpenMetrics writes it: a label that differed would be another series. */
function boundText(bound: number | undefined): string {
  if (bound === undefined) return '+Inf';
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}
