// An answer on the disk: a line with what the index needs, and a line with the query and the work, so
// that a start does not parse all of it.
import { checkDepth } from '../client/support/json.js';
import type { Work, WorkQuery } from '../client/work/work.js';
import { parseObject } from '../storage/parse-object.js';
import { knownQuery, knownWork } from './known-work.js';

/** An answer of ION with exactly one step. */
export interface Remembered {
  query: WorkQuery;
  work: Work;
  /** In ms since 1970. */
  readAt: number;
}

/** The part of an answer that the index knows. */
export interface AnswerFacts {
  /** In ms since 1970. */
  readAt: number;
  /** The time for which a node wanted to remember it, in ms. */
  keepMs: number;
  /** IDs as text. */
  step: string;
  run: string;
}

const VERSION = 1;
const LINE_FEED = 0x0a;
/** Bytes of one answer. */
const MAX_BYTES = 1024 * 1024;
/** Bytes of the first line. */
const MAX_FACTS_BYTES = 2000;
/** A clock may be set back. An answer from further in the future is damaged. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

export function factsOf({ work, readAt }: Remembered, keepMs: number): AnswerFacts {
  return { readAt, keepMs, step: String(work.step.id), run: String(work.run.id) };
}

/** @returns `undefined` for an answer that is too large to be remembered */
export function encodeAnswer(remembered: Remembered, facts: AnswerFacts): Buffer | undefined {
  const { query, work } = remembered;
  const lines = [JSON.stringify({ version: VERSION, ...facts }), JSON.stringify({ query, work })];
  const bytes = Buffer.from(lines.join('\n'));
  return bytes.length <= MAX_BYTES ? bytes : undefined;
}

/** @returns `undefined` for bytes that this version did not write */
export function readFacts(bytes: Buffer): AnswerFacts | undefined {
  const end = bytes.subarray(0, MAX_FACTS_BYTES).indexOf(LINE_FEED);
  if (end < 0 || bytes.length > MAX_BYTES) return undefined;
  const found = parseObject<AnswerFacts & { version: number }>(bytes.subarray(0, end));
  const { version, readAt, keepMs, step, run } = found;
  if (version !== VERSION || typeof step !== 'string' || typeof run !== 'string') return undefined;
  if (!isTime(readAt) || !isTime(keepMs) || readAt > Date.now() + MAX_AHEAD_MS) return undefined;
  return { readAt, keepMs, step, run };
}

/** @returns `undefined` for bytes that this version did not write */
export function decodeAnswer(bytes: Buffer): Remembered | undefined {
  const facts = readFacts(bytes);
  if (!facts) return undefined;
  const found = parseObject<Remembered>(bytes.subarray(bytes.indexOf(LINE_FEED) + 1));
  try {
    // Node-RED copies messages recursively.
    checkDepth(found);
  } catch {
    return undefined;
  }
  const query = knownQuery(found.query);
  const work = knownWork(found.work);
  return query && work && { query, work, readAt: facts.readAt };
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
