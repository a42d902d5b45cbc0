// Responses with which ION refuses a page because of its size. ION documents neither a maximum nor a text.
import type { IonError } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';
import { lacksIn } from './lacks.js';

const SIZE = /\bfirst\b|\blimit\b|page[ _-]?(size|length|limit)|(rows|items|records) per page/i;
const NUMBER = /\d+(?:[,_]\d+)*/g;
/** Texts before the number of a maximum. */
const MAXIMUM =
  /at most|max|limit|exceed|(no|not) more than|(greater|larger|more|higher) than|up to|equal to|<=/i;
const BELOW = /(less|fewer|smaller|lower) than $/i;
const RANGE = /between $/i;
/** Characters before a number. */
const MAX_BEFORE = 60;

/**
 * The page size to try after an error: what ION names, or half of the page.
 * @returns `undefined` if the page was not refused because of its size
 */
export function smallerPage(rows: number, error: IonError): number | undefined {
  const { code, errors = [] } = error;
  // A field or an argument may be called "first".
  if (code !== 'ION_GRAPHQL' || lacksIn(error).length > 0) return undefined;
  // An error from inside a row has a longer path than one of the list.
  const texts = errors.filter((each) => !hasPath(each) || !isInRow(each.path)).map(textOf);
  const named = texts.filter((text) => SIZE.test(text) || maximumIn(text, rows) !== undefined);
  if (named.length === 0) return undefined;
  const maximum = named.map((text) => maximumIn(text, rows)).find((each) => each !== undefined);
  const limit = maximum ?? Math.floor(rows / 2);
  return limit >= 1 ? limit : undefined;
}

function isInRow(path: unknown): boolean {
  return Array.isArray(path) && path.some((each) => typeof each === 'number');
}

function textOf({ message }: { message: string }): string {
  return message.slice(0, 1000);
}

/** The maximum that a text names, if it is below the number of rows. */
function maximumIn(text: string, rows: number): number | undefined {
  let end = 0;
  let isRange = false;
  for (const match of text.matchAll(NUMBER)) {
    const before = text.slice(Math.max(end, match.index - MAX_BEFORE), match.index);
    const number = Number(match[0].replace(/[,_]/g, ''));
    const isMaximum = isRange || MAXIMUM.test(before);
    const maximum = isMaximum ? number : BELOW.test(before) ? number - 1 : 0;
    if (maximum >= 1 && maximum < rows) return maximum;
    isRange = RANGE.test(before);
    end = match.index + match[0].length;
  }
  return undefined;
}
