import { type IonError, toIonError, withSentence } from '../errors.js';
import { isOperationRejected } from '../failures/classify-failure.js';
import type { FieldResult } from './field-results.js';
import type { RequestScope } from './request-scope.js';
import type { RunSteps } from './run-steps.js';
import type { StepStatus } from './step-status.js';
import { isGiven, type Target } from './target.js';

interface Settings {
  steps: RunSteps;
  status: StepStatus;
  requests: RequestScope;
  retriesConflicts: boolean;
  onStarted?: (() => Promise<void>) | undefined;
}

/** Starts the steps that the values of one message belong to, if they are still to do. */
export class StepStart {
  readonly #settings: Settings;
  #isStarted = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Whether a step was started. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /**
   * Starts the steps, then writes.
   * @param targets fields whose values can be written
   * @throws IonError with `started` if a step was started before the failure
   */
  async before<Result>(targets: readonly Target[], write: () => Promise<Result>): Promise<Result> {
    await this.#start(targets);
    try {
      return await write();
    } catch (thrown) {
      const mayBeToDo = !this.#isStarted && isWhollyRejected(toIonError(thrown));
      if (!mayBeToDo || !(await this.#startReread(targets))) throw this.#withStart(thrown);
    }
    return write().catch((thrown) => {
      throw this.#withStart(thrown);
    });
  }

  /**
   * Reads the steps again and starts them: a step may have become TODO again since it was read.
   * @returns whether the write can be repeated
   */
  async #startReread(targets: readonly Target[]): Promise<boolean> {
    try {
      await this.#forget(targets);
      await this.#start(targets);
      return this.#isStarted;
    } catch {
      // The rejection of the write says more, and has its results.
      return false;
    }
  }

  async #start(targets: readonly Target[]): Promise<void> {
    const { status, requests, retriesConflicts, onStarted } = this.#settings;
    for (const target of targets) {
      const step = await this.#stepOf(target);
      let isStarted: boolean;
      try {
        isStarted = await status.start(step, requests, retriesConflicts);
      } catch (thrown) {
        const error = toIonError(thrown);
        const text = error.mayHaveRun
          ? 'No value was written. The step may have been started.'
          : 'The step was not started, so no value was written.';
        throw this.#withStart(error.with({ message: `${text} ${error.message}` }));
      }
      if (!isStarted) continue;
      this.#isStarted = true;
      await onStarted?.();
    }
  }

  async #forget(targets: readonly Target[]): Promise<void> {
    const { steps, requests } = this.#settings;
    const rows = [];
    for (const target of targets) rows.push(await steps.step(await this.#stepOf(target), requests));
    for (const row of rows) steps.forgetStep(row);
  }

  async #stepOf(target: Target): Promise<Target> {
    const { steps, requests } = this.#settings;
    const { run, step } = target;
    if (isGiven(step)) return { run, step };
    const { runStepId } = await steps.field(target, requests);
    return { step: runStepId ?? undefined };
  }

  #withStart(thrown: unknown): unknown {
    return this.#isStarted ? toIonError(thrown).with({ started: true }) : thrown;
  }
}

/** Whether ION rejected every value of a message by a rule, so that nothing was written. */
function isWhollyRejected(error: IonError): boolean {
  const { results = {}, parts = [error] } = error;
  const isPartial = Object.values(results as Record<string, FieldResult>).some(
    (result) => 'written' in result,
  );
  return !isPartial && parts.every(isRejectedByRule);
}

function isRejectedByRule({ code, origin, mayHaveRun }: IonError): boolean {
  return code === 'ION_GRAPHQL' && origin === 'operation' && !mayHaveRun;
}

/** Texts with which ION refuses a value because its step is still to do. */
const STEP = /\bstep\b/i;
const TO_DO = /\bTODO\b/;

/** Adds to ION's refusal of a value that the node can start its step. */
export function withStartAdvice(thrown: unknown): IonError {
  const error = toIonError(thrown);
  const isToDo = (error.parts ?? [error]).some(
    (part) =>
      part.origin === 'operation' &&
      part.errors?.some(({ message }) => STEP.test(message) && TO_DO.test(message)),
  );
  if (!isToDo) return error;
  const advice =
    'To start the step before, select "Start the step first if it is TODO" in the node.';
  return error.with({ message: withSentence(error.message, advice) });
}

/**
 * The targets of the values that can be written: no step is started for the others.
 * @param check looks a field up and checks its value
 * @throws IonError if a field cannot be looked up at the moment
 */
export async function writableTargets(
  values: readonly (readonly [Target, unknown])[],
  check: (target: Target, value: unknown) => Promise<void>,
): Promise<Target[]> {
  const checks = await Promise.allSettled(values.map(([target, value]) => check(target, value)));
  const targets: Target[] = [];
  for (const [index, outcome] of checks.entries()) {
    const target = values[index]?.[0];
    if (outcome.status === 'fulfilled' && target) targets.push(target);
    // The write itself reports a value that does not fit.
    else if (outcome.status === 'rejected' && !isOperationRejected(toIonError(outcome.reason))) {
      throw outcome.reason;
    }
  }
  return targets;
}
