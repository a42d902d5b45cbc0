import { setProperty } from './json.js';

/** Limits for a copy, which count down. */
export interface CopyBudget {
  values: number;
  /** Characters of all texts and property names together. */
  characters: number;
  /** Characters of one text. */
  text: number;
}

/**
 * A copy of foreign JSON that is small enough to be passed on: long texts are cut ("…"), deeper and
 * later values are omitted.
 * @param budget is reduced, so that several copies can share it
 */
export function boundedCopy(value: unknown, budget: CopyBudget, maxDepth: number): unknown {
  budget.values--;
  if (typeof value === 'string') {
    const length = Math.max(0, Math.min(value.length, budget.text, budget.characters));
    budget.characters -= length;
    return length < value.length ? `${beginning(value, length)}…` : value;
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

const OBJECT_WEIGHT = 3;
const CHARACTERS_PER_WEIGHT = 10;

/**
 * A rough measure of memory: one for each value, three for an object or a list, and one for each
 * ten characters of texts and property names.
 * @param max counting ends above it, so a larger result is only a lower limit
 */
export function weightOf(value: unknown, max: number): number {
  if (typeof value === 'string') return 1 + value.length / CHARACTERS_PER_WEIGHT;
  if (typeof value !== 'object' || value === null) return 1;
  let weight = OBJECT_WEIGHT;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (weight > max) break;
      weight += weightOf(item, max - weight);
    }
    return weight;
  }
  for (const key of Object.keys(value)) {
    if (weight > max) break;
    weight += key.length / CHARACTERS_PER_WEIGHT;
    weight += weightOf((value as Record<string, unknown>)[key], max - weight);
  }
  return weight;
}

/** The beginning of a text; unlike that of `slice`, it does not keep the whole text in memory. */
export function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  return Buffer.from(text.slice(0, length), 'utf16le').toString('utf16le');
}
