import { cut } from './errors.js';
import { setProperty } from './json.js';

/** Limits for a copy. */
export interface CopyBudget {
  values: number;
  /** Characters of all texts and property names together. */
  characters: number;
  /** Characters of one text. */
  text: number;
}

/**
 * A copy of foreign JSON that is small enough to be passed on: texts are cut at their end ("…"),
 * what is deeper or comes later is left out.
 * @param budget is used up, so that several copies can share it
 */
export function boundedCopy(value: unknown, budget: CopyBudget, maxDepth: number): unknown {
  budget.values--;
  if (typeof value === 'string') {
    const length = Math.max(0, Math.min(value.length, budget.text, budget.characters));
    budget.characters -= length;
    return cut(value, length);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (maxDepth === 0 || isUsedUp(budget)) return undefined;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      if (isUsedUp(budget)) break;
      items.push(boundedCopy(item, budget, maxDepth - 1));
    }
    return items;
  }
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    budget.characters -= key.length;
    if (isUsedUp(budget)) break;
    setProperty(copy, key, boundedCopy(item, budget, maxDepth - 1));
  }
  return copy;
}

function isUsedUp({ values, characters }: CopyBudget): boolean {
  return values <= 0 || characters <= 0;
}

/** A rough measure of memory: one for each value, and one for each ten characters. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return 1 + value.length / 10;
  if (typeof value !== 'object' || value === null) return 1;
  let weight = 1;
  for (const item of Object.values(value)) weight += weightOf(item);
  return weight;
}
