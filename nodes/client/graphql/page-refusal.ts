// Responses with which ION refuses a page because of its size. ION documents neither a maximum nor a text.
import type { IonError } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';
import { lacksIn } from './lacks.js';

const SIZE = /\bfirst\b|\blimit\b|page[ _-]?(size|length|limit)|(rows|items|records) per page/i;
/** Texts after which a server names its maximum. */
const MAXIMUM =
  /(at most|max(imum)?|limit|exceeds?|(no|not) more than|(greater|larger|more|higher) than|up to|less than or equal to|<=|between \d+ (and|to))[^\d\n]{0,60}?(\d{1,3}(?:[,_]\d{3})+|\d+)/gi;
const BELOW = /(less|fewer|smaller|lower) than (\d{1,3}(?:[,_]\d{3})+|\d+)/gi;

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
  const maxima = [
    ...[...text.matchAll(MAXIMUM)].map((match) => numberIn(match)),
    ...[...text.matchAll(BELOW)].map((match) => numberIn(match) - 1),
  ];
  return maxima.find((each) => each >= 1 && each < rows);
}

function numberIn(match: RegExpMatchArray): number {
  return Number(match.at(-1)?.replace(/[,_]/g, ''));
}
