// Reasons why there is not exactly one step to work on, in plain words.

import { candidateWords, listed, named, runWords, shortUnitWords, valueWords } from './words.js';
import type { WorkCandidate, WorkQuery } from './work.js';
import type { FoundRun } from './work-rows.js';

const STATUS_WORDS: Record<string, string> = {
  TODO: 'is still to do',
  IN_PROGRESS: 'is in progress',
  HOLD: 'is on hold',
  REDLINE: 'is being redlined',
  FAILED: 'has failed',
  COMPLETE: 'is complete',
  CANCELED: 'is canceled',
  PARTIAL_COMPLETE: 'is partly complete, partly canceled',
};

/** ION's types of entities, in plain words. */
const ENTITY_WORDS: Record<string, string> = {
  PARTS: 'a part',
  PARTS_KITS: 'a kit',
  PART_KIT_ITEMS: 'an item of a kit',
  PROCEDURES: 'a procedure',
  STEPS: 'a step of a procedure',
  RUN_STEPS: 'a step of a run',
  ISSUES: 'an issue',
  PURCHASE_ORDERS: 'a purchase order',
  PURCHASE_ORDER_LINES: 'a line of a purchase order',
  RECEIPTS: 'a receipt',
  SUPPLIERS: 'a supplier',
  USERS: 'a user',
};

export function nothingFoundText(query: WorkQuery): string {
  const what = {
    barcode: `nothing that belongs to ${valueWords(query)}`,
    serial: `no unit with ${valueWords(query)}`,
    run: `no run with the ID or the title ${named(query.value)}`,
    location: `no location with the ID or the name ${named(query.value)}`,
  };
  return `ION has ${what[query.by]}, or the API key has no access to it.`;
}

/** @param types ION's types of the entities that a barcode means */
export function otherEntitiesText(types: readonly (string | null)[], query: WorkQuery): string {
  const words = [...new Set(types)].map(entityWords);
  return sentence(`${valueWords(query)} means ${listed(words)}, not a unit, a run or a location`);
}

function entityWords(type: string | null): string {
  if (type === null) return 'something of an unknown type';
  return ENTITY_WORDS[type] ?? `something of type ${named(type)}`;
}

/** @param rivals ION's types of other things that a barcode means */
export function severalThingsText(
  candidates: readonly WorkCandidate[],
  rivals: readonly string[],
  isMore: boolean,
  query: WorkQuery,
): string {
  const known = candidates.map(({ unit, run, location }) => {
    if (unit && query.by === 'serial') return candidateWords({ unit });
    return candidateWords({
      ...(unit && { unit }),
      ...(run && { run }),
      ...(location && { location }),
    });
  });
  const things = [...rivals.map(entityWords), ...known];
  const text = sentence(
    `${valueWords(query)} means ${countWords(things.length, isMore)} things: ${listed(things, isMore)}`,
  );
  const parts = new Set(candidates.map(({ unit }) => unit?.partNumber));
  const isHelp = query.by === 'serial' && query.part === '' && parts.size > 1;
  return isHelp ? `${text} Give the part number as well.` : text;
}

export function severalStepsText(
  why: 'inProgress' | 'available',
  candidates: readonly WorkCandidate[],
  isMore: boolean,
  query: WorkQuery,
): string {
  const kind = why === 'inProgress' ? 'in progress' : 'that can start';
  const count = countWords(candidates.length, isMore);
  const steps = listed(wordsOfSteps(candidates), isMore);
  return sentence(`${valueWords(query)} has ${count} steps${titleWords(query)} ${kind}: ${steps}`);
}

/** @param candidates the steps that block */
export function blockedText(candidates: readonly WorkCandidate[], query: WorkQuery): string {
  const words = wordsOfSteps(candidates);
  const steps = candidates.map(({ step }, i) => `${words[i]} ${statusWords(step?.status)}`);
  return sentence(
    `No step${titleWords(query)} of ${valueWords(query)} can be worked on now: ${listed(steps)}`,
  );
}

/** @param runs runs without an open step; null if they are not known */
export function finishedText(runs: readonly FoundRun[] | null, query: WorkQuery): string {
  if (runs === null) return sentence(`${valueWords(query)} has no open step`);
  if (runs.length === 0) return sentence(`${valueWords(query)} has no run`);
  const statuses = runs.map(
    ({ run, isArchived }) =>
      `${runWords(run)} ${isArchived ? 'is archived' : statusWords(run.status)}`,
  );
  return sentence(`${valueWords(query)} has no open step: ${listed(statuses)}`);
}

/** @param candidates steps with other titles */
export function withoutTitleText(candidates: readonly WorkCandidate[], query: WorkQuery): string {
  const steps = listed(wordsOfSteps(candidates));
  return `${sentence(`${valueWords(query)} has no step${titleWords(query)}`)} ${sentence(`It has: ${steps}`)}`;
}

/** Runs often have the title of their procedure, so that only their units differ. */
function wordsOfSteps(candidates: readonly WorkCandidate[]): string[] {
  const isOfSeveral = new Set(candidates.map(({ unit }) => unit?.id)).size > 1;
  return candidates.map((each) => {
    const unit = isOfSeveral && each.unit ? ` for ${shortUnitWords(each.unit)}` : '';
    return `${candidateWords(each)}${unit}`;
  });
}

function titleWords({ step }: WorkQuery): string {
  return step === '' ? '' : ` ${named(step)}`;
}

function statusWords(status: string | null | undefined): string {
  if (status === null || status === undefined) return 'has an unknown status';
  return STATUS_WORDS[status] ?? `has the status ${named(status)}`;
}

function countWords(count: number, isMore: boolean): string {
  return isMore ? `${count} or more` : String(count);
}

function sentence(text: string): string {
  const end = text.endsWith('…') ? '' : '.';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}
