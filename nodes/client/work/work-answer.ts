import type { Id } from '../support/known-columns.js';
import { PAGE_SIZE } from './documents.js';
import {
  type Found,
  hasOpenSteps,
  hasSeveralOpenRuns,
  identityOf,
  isGivenUp,
  runsOf,
  type Thing,
} from './found-things.js';
import {
  blockedText,
  finishedText,
  nothingFoundText,
  severalStepsText,
  severalThingsText,
  withoutTitleText,
} from './reasons.js';
import { type Choice, currentStep, isSameId, titledStep } from './step-choice.js';
import type { NoWork, Work, WorkAnswer, WorkCandidate, WorkQuery, WorkRun } from './work.js';
import type { FoundStep } from './work-rows.js';

/** The step to work on, with its fields as far as ION returned them, or why there is not exactly one. */
export type Judgment =
  | { found: 'one'; work: Omit<Work, 'fields'>; fields: unknown }
  | Extract<WorkAnswer, { found: NoWork }>;

interface ThingWithChoice {
  thing: Thing;
  choice: Choice;
}

/** Judges what a look-up found. */
export function judge(found: Found, query: WorkQuery): Judgment {
  const [only, ...others] = candidatesAmong(found.things).map((thing) => ({
    thing,
    choice: choiceAmong(thing, found.context, query),
  }));
  if (!only) return none(nothingFoundText(query));
  // A list that ION has cut may hold other things with work.
  const isAlone = others.length === 0 && found.rivals.length === 0 && !found.isMore;
  return isAlone ? judgeOne(only, found, query) : judgeAll([only, ...others], found, query);
}

/** The things without those that another one with work replaces. */
function candidatesAmong(things: Thing[]): Thing[] {
  const open = things.filter(hasOpenSteps);
  if (open.length === 0) return things;
  const identities = new Set(open.map(identityOf));
  return things.filter(
    (thing) => hasOpenSteps(thing) || !(isGivenUp(thing) || identities.has(identityOf(thing))),
  );
}

export function none(reason: string): Extract<WorkAnswer, { found: NoWork }> {
  return { found: 'none', reason, candidates: [] };
}

function choiceAmong({ steps }: Thing, context: FoundStep[], { step }: WorkQuery): Choice {
  return step === '' ? currentStep(steps, context) : titledStep(steps, context, step);
}

function judgeOne({ thing, choice }: ThingWithChoice, found: Found, query: WorkQuery): Judgment {
  const candidates = (steps: FoundStep[]) => steps.map((step) => candidateOf(step, thing));
  switch (choice.found) {
    case 'one': {
      const why = choice.step.step.status === 'IN_PROGRESS' ? 'inProgress' : 'available';
      if (!isUncertain(why, thing, found, query)) return workOn(choice.step, thing);
      return several(why, candidates([choice.step]), true, query);
    }
    case 'several': {
      const isMore = isUncertain(choice.why, thing, found, query);
      return several(choice.why, candidates(choice.steps), isMore, query);
    }
    case 'blocked':
      return blocked(candidates(choice.steps), query);
    default:
      return hasOpenSteps(thing)
        ? none(withoutTitleText(candidates(thing.steps), query))
        : finished(thing, query);
  }
}

/** Whether ION may have such a step that was not read, in another run or with the same title. */
function isUncertain(
  why: 'inProgress' | 'available',
  thing: Thing,
  found: Found,
  { step: title }: WorkQuery,
): boolean {
  const isMoreSteps = why === 'inProgress' ? found.isMoreInProgress : found.isMoreAvailable;
  return found.isUnread || (isMoreSteps && (title !== '' || hasSeveralOpenRuns(thing)));
}

/** Several things lead to work only if it is the same step, such as that of a unit and of its run. */
function judgeAll(choices: ThingWithChoice[], found: Found, query: WorkQuery): Judgment {
  const { isMore, isUnread, rivals } = found;
  const ids = new Set(
    choices.map(({ choice }) => (choice.found === 'one' ? String(choice.step.step.id) : '')),
  );
  const [first] = choices;
  const isCertain = !isMore && !isUnread && rivals.length === 0;
  if (isCertain && ids.size === 1 && first?.choice.found === 'one') {
    return workOn(first.choice.step, first.thing);
  }
  const candidates = choices.flatMap(({ thing, choice }) =>
    choice.found === 'one' ? candidateOf(choice.step, thing) : candidatesOfThing(thing),
  );
  const reason = severalThingsText(candidates, rivals, isMore, query);
  return { found: 'several', reason, candidates: candidates.slice(0, PAGE_SIZE) };
}

function workOn(found: FoundStep, thing: Thing): Judgment {
  const { unit, run, step } = candidateOf(found, thing);
  return { found: 'one', work: { unit: unit ?? null, run, step }, fields: found.fields };
}

function several(
  why: 'inProgress' | 'available',
  candidates: WorkCandidate[],
  isMore: boolean,
  query: WorkQuery,
): Judgment {
  const reason = severalStepsText(why, candidates, isMore, query);
  return { found: 'several', reason, candidates: candidates.slice(0, PAGE_SIZE) };
}

function blocked(candidates: WorkCandidate[], query: WorkQuery): Judgment {
  const reason = blockedText(candidates, query);
  return { found: 'blocked', reason, candidates: candidates.slice(0, PAGE_SIZE) };
}

/** There is no open step; without any run, there is nothing to name. */
function finished(thing: Thing, query: WorkQuery): Judgment {
  const runs = runsOf(thing);
  const reason = finishedText(runs, query);
  if (runs === null || runs.length === 0) return none(reason);
  const candidates = runs.slice(0, PAGE_SIZE).map(({ run }) => {
    const unit = unitOf(thing, run.id);
    return { ...(unit && { unit }), run };
  });
  return { found: 'blocked', reason, candidates };
}

type StepCandidate = WorkCandidate & Required<Pick<WorkCandidate, 'run' | 'step'>>;

function candidateOf({ step, runId, run }: FoundStep, thing: Thing): StepCandidate {
  const unit = run?.unit ?? unitOf(thing, runId);
  const known = run ?? runsOf(thing)?.find((each) => isSameId(each.run.id, runId));
  return { ...(unit && { unit }), run: known?.run ?? withoutColumns(runId), step };
}

function candidatesOfThing(thing: Thing): WorkCandidate[] {
  switch (thing.kind) {
    case 'unit':
      return [{ unit: thing.unit.unit }];
    case 'location':
      return [{ location: thing.location.location }];
    default:
      return thing.runs.map(({ run, unit }) => ({ ...(unit && { unit }), run }));
  }
}

function unitOf(thing: Thing, runId: Id) {
  if (thing.kind === 'unit') return thing.unit.unit;
  if (thing.kind === 'location') return null;
  return thing.runs.find(({ run }) => isSameId(run.id, runId))?.unit ?? null;
}

function withoutColumns(id: Id): WorkRun {
  return { id, title: null, status: null };
}
