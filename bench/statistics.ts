/** Spread of several runs of the same measurement. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { min: at(0), median: at(sorted.length >> 1), max: at(sorted.length - 1) };
}

/** The ratios of neighbouring runs: of each value to the one that was measured beside it. */
export function ratios(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, index) => value / (others[index] ?? Number.NaN));
}

/** Error of the median itself, as a share of it: less with more runs, and with similar ones. */
export function unsteadiness(values: readonly number[]): number {
  const betweenQuartiles = percentile(values, 0.75) - percentile(values, 0.25);
  return betweenQuartiles / percentile(values, 0.5) / Math.sqrt(values.length);
}

/** @param share 0.5 for the median, 0.99 for the value that only one in a hundred exceeds */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** "1220 / 1300 / 1410": minimum, median and maximum. */
export function shown({ min, median, max }: Spread, digits = 0): string {
  return [min, median, max].map((value) => value.toFixed(digits)).join(' / ');
}
