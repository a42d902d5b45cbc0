// Responses with which ION refuses a page because of its size. ION documents neither a maximum nor a text.
import type { IonError } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';
import { lacksIn } from './lacks.js';

/** Texts that speak of a page. A limit alone may be one of memory, cost or time. */
const SIZE = /\bfirst\b|page[ _-]?(size|length|limit)|(rows|items|records) per page/i;
const ROWS = /^ (rows|items|records)\b/i;
/** Texts whose numbers are not rows. */
const COST = /\bcosts?\b|\bcomplexity\b/i;
const NUMBER = /\d+(?:[,_]\d+)*/g;
/** Texts before the number of a maximum. */
const MAXIMUM =
  /at most|max|limit|exceed|(no|not) more than|(greater|larger|more|higher) than|up to|equal to|<=/i;
const BELOW = /(less|fewer|smaller|lower) than $/i;
const RANGE = /between $/i;
/** Characters before a number. */
const MAX_BEFORE = 60;

/** A page size to try. */
export interface SmallerPage {
  rows: number;
  /** Whether ION names it as the maximum; false for a guess. */
  isNamed: boolean;
}

/**
 * The page size to try after an error: the maximum that ION names, or half of the page.
 * @returns `undefined` if the page was not refused because of its size
 */
export function smallerPage(rows: number, error: IonError): SmallerPage | undefined {
  const { code, errors = [] } = error;
  // A field or an argument may be called "first".
  if (code !== 'ION_GRAPHQL' || lacksIn(error).length > 0) return undefined;
  // An error from inside a row has a longer path than one of the list.
  const texts = errors.filter((each) => !hasPath(each) || !isInRow(each.path)).map(textOf);
  const found = texts.flatMap((text) => {
    const maximum = maximumIn(text, rows);
    return SIZE.test(text) || countsRows(text, [rows, maximum]) ? { maximum } : [];
  });
  if (found.length === 0) return undefined;
  const named = found.find(({ maximum }) => maximum !== undefined)?.maximum;
  const smaller = named ?? Math.floor(rows / 2);
  return smaller >= 1 ? { rows: smaller, isNamed: named !== undefined } : undefined;
}

function isInRow(path: unknown): boolean {
  return Array.isArray(path) && path.some((each) => typeof each === 'number');
}

function textOf({ message }: { message: string }): string {
  return message.slice(0, 1000);
}

/** Whether a text names one of these numbers as a number of rows. */
function countsRows(text: string, numbers: readonly unknown[]): boolean {
  return [...text.matchAll(NUMBER)].some(
    ({ 0: digits, index }) =>
      numbers.includes(numberOf(digits)) && ROWS.test(text.slice(index + digits.length)),
  );
}

function numberOf(digits: string): number {
  return Number(digits.replace(/[,_]/g, ''));
}

/** The maximum that a text names, if it is below the number of rows. */
function maximumIn(text: string, rows: number): number | undefined {
  if (COST.test(text)) return undefined;
  let end = 0;
  let isRange = false;
  for (const match of text.matchAll(NUMBER)) {
    const before = text.slice(Math.max(end, match.index - MAX_BEFORE), match.index);
    const number = numberOf(match[0]);
    const isMaximum = isRange || MAXIMUM.test(before);
    const maximum = isMaximum ? number : BELOW.test(before) ? number - 1 : 0;
    if (maximum >= 1 && maximum < rows) return maximum;
    isRange = RANGE.test(before);
    end = match.index + match[0].length;
  }
  return undefined;
}
