import type { Id } from '../support/known-columns.js';
import { rowsNamed } from '../support/name-matching.js';
import { isOpenStatus } from './work-filters.js';
import type { FoundStep } from './work-rows.js';

/** The outcome of the choice among the steps of one unit, of the runs with one title, or of one station. */
export type Choice =
  | { found: 'one'; step: FoundStep }
  /** Several steps in progress, or available in several runs, or with the same title. */
  | { found: 'several'; why: 'inProgress' | 'available'; steps: FoundStep[] }
  /** No step can be worked on now; `steps` block it. */
  | { found: 'blocked'; steps: FoundStep[] }
  /** There is no open step, or none with the title. */
  | { found: 'none' };

/** Statuses of steps that wait for a person. */
const STOPPED: ReadonlySet<string | null> = new Set(['HOLD', 'REDLINE', 'FAILED']);

/**
 * The current step: the one in progress, else the first one that is available in its run.
 * @param steps steps of all runs
 * @param context other steps of these runs
 */
export function currentStep(steps: readonly FoundStep[], context: readonly FoundStep[]): Choice {
  const open = steps.filter(isOpen);
  const allOpen = [...open, ...context.filter(isOpen)];
  const workable = workableStep(open, allOpen, firstOfEachRun);
  if (workable) return workable;
  if (open.length === 0) return { found: 'none' };
  const stopped = open.filter(({ step }) => STOPPED.has(step.status));
  return { found: 'blocked', steps: stopped.length > 0 ? stopped : blockersOf(open, allOpen) };
}

/**
 * The step with a title. In each run, an open one is preferred to one that is complete.
 * @param context other steps of these runs
 */
export function titledStep(
  steps: readonly FoundStep[],
  context: readonly FoundStep[],
  title: string,
): Choice {
  const titled = namedSteps(steps, title);
  if (titled.length === 0) return { found: 'none' };
  const chosen = [...byRun(titled).values()].flatMap((ofRun) => {
    const open = ofRun.filter(isOpen);
    return open.length > 0 ? open : ofRun;
  });
  const allOpen = [...steps, ...context].filter(isOpen);
  const workable = workableStep(chosen.filter(isOpen), allOpen, (available) => available);
  return workable ?? { found: 'blocked', steps: blockersOf(chosen, allOpen) };
}

function isOpen({ step }: FoundStep): boolean {
  return isOpenStatus(step.status);
}

/** Matches the exact title, else one with invisible differences, else one in another case. */
function namedSteps(steps: readonly FoundStep[], title: string): FoundStep[] {
  const found = rowsNamed(steps, title, ({ step }) => step.title ?? '');
  if (found.length > 0) return found;
  return rowsNamed(steps, title.toLowerCase(), ({ step }) => step.title?.toLowerCase() ?? '');
}

/** The one step that can be worked on, or several. */
function workableStep(
  steps: readonly FoundStep[],
  open: readonly FoundStep[],
  choose: (available: FoundStep[]) => FoundStep[],
): Choice | undefined {
  const inProgress = innermost(
    steps.filter(({ step }) => step.status === 'IN_PROGRESS'),
    open,
  );
  const available = () => choose(steps.filter((step) => isAvailable(step, open)));
  const workable = inProgress.length > 0 ? inProgress : available();
  const [first, second] = workable;
  if (!first) return undefined;
  if (!second) return { found: 'one', step: first };
  const why = inProgress.length > 0 ? 'inProgress' : 'available';
  return { found: 'several', why, steps: workable };
}

/** The steps that contain none of the others; all of them, if each contains another one. */
function innermost(steps: readonly FoundStep[], open: readonly FoundStep[]): FoundStep[] {
  const parents = new Map(open.map(({ step, parentId }) => [String(step.id), parentId]));
  const outer = new Set<string>();
  for (const { parentId } of steps) {
    let parent = parentId;
    // ION's data could be circular.
    while (parent !== null && !outer.has(String(parent))) {
      outer.add(String(parent));
      parent = parents.get(String(parent)) ?? null;
    }
  }
  const inner = steps.filter(({ step }) => !outer.has(String(step.id)));
  return inner.length > 0 ? inner : [...steps];
}

function isAvailable(found: FoundStep, open: readonly FoundStep[]): boolean {
  const { status, availableToWork } = found.step;
  return status === 'TODO' && (availableToWork ?? waitsFor(found, open).length === 0);
}

/** The open steps that must be complete, or in progress, before a step can start. */
function waitsFor({ upstreamIds, parentId }: FoundStep, open: readonly FoundStep[]): FoundStep[] {
  const upstream = new Set(upstreamIds?.map(String));
  return open.filter(({ step }) => {
    if (upstream.has(String(step.id))) return true;
    return parentId !== null && isSameId(step.id, parentId) && step.status !== 'IN_PROGRESS';
  });
}

/** The steps that block these ones; a step itself, if nothing else is known. */
function blockersOf(steps: readonly FoundStep[], open: readonly FoundStep[]): FoundStep[] {
  const blockers = new Set<FoundStep>();
  for (const found of steps) {
    const waiting = found.step.status === 'TODO' ? waitsFor(found, open) : [];
    for (const each of waiting.length > 0 ? waiting : [found]) blockers.add(each);
  }
  return [...blockers];
}

function firstOfEachRun(steps: readonly FoundStep[]): FoundStep[] {
  return [...byRun(steps).values()].map((ofRun) => ofRun.reduce(earlier));
}

function earlier(one: FoundStep, other: FoundStep): FoundStep {
  const [a, b] = [one.step.position ?? Infinity, other.step.position ?? Infinity];
  return a === b
    ? Number(other.step.id) < Number(one.step.id)
      ? other
      : one
    : b < a
      ? other
      : one;
}

function byRun(steps: readonly FoundStep[]): Map<string, FoundStep[]> {
  const runs = new Map<string, FoundStep[]>();
  for (const step of steps) {
    const ofRun = runs.get(String(step.runId));
    if (ofRun) ofRun.push(step);
    else runs.set(String(step.runId), [step]);
  }
  return runs;
}

export function isSameId(one: Id, other: Id): boolean {
  return String(one) === String(other);
}
