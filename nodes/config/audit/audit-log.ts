import { createHash } from 'node:crypto';
import { IonError, quote } from '../../client/errors.js';
import type {
  LoggedMutation,
  LoggedOutcome,
  MutationLog,
  Origin,
  RequestLog,
} from '../../client/graphql/mutation-log.js';
import type { TraceContext } from '../../client/http/trace-context.js';
import { isPlainObject } from '../../client/support/json.js';
import { withoutUnknown } from '../../shared/message.js';
import { canonicalJson } from './canonical-json.js';

/** The type and the flow of a node. */
export interface NodePlace {
  type?: string | undefined;
  flow?: string | undefined;
}

/** Lines are missing, or the file grows beyond its limit. */
export type AuditFailure = 'notWritten' | 'notRenamed';

interface Settings {
  /**
   * Writes lines so that they survive the end of the process.
   * @returns the error if the lines were written, but no new file can begin
   */
  append(lines: readonly string[]): unknown;
  /** Called once for failures of the same kind in a row. */
  onFailure(failure: AuditFailure, thrown: unknown): void;
  placeOf(node: string): NodePlace;
}

/** The log of all mutations that are sent to ION: one line before, one with the outcome. */
export class AuditLog implements MutationLog {
  readonly #settings: Settings;
  /** Two starts of Node-RED have different ones. */
  readonly #prefix = Date.now().toString(36);
  #count = 0;
  #failure: AuditFailure | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  begin(...given: Parameters<MutationLog['begin']>): RequestLog {
    return new AuditedRequest(this, ...given);
  }

  nextId(): string {
    return `${this.#prefix}-${++this.#count}`;
  }

  placeOf(node: string): NodePlace {
    return this.#settings.placeOf(node);
  }

  /** Never throws: an error of the log must not stop a write. */
  write(makeLines: () => object[]): void {
    try {
      const problem = this.#settings.append(makeLines().map((line) => JSON.stringify(line)));
      if (problem === undefined) this.#failure = undefined;
      else this.#report('notRenamed', problem);
    } catch (thrown) {
      this.#report('notWritten', thrown);
    }
  }

  #report(failure: AuditFailure, thrown: unknown): void {
    if (this.#failure === failure) return;
    this.#failure = failure;
    this.#settings.onFailure(failure, thrown);
  }
}

class AuditedRequest implements RequestLog {
  readonly #log: AuditLog;
  readonly #mutation: LoggedMutation;
  readonly #trace: TraceContext | undefined;
  readonly #parts: readonly LoggedMutation[] | undefined;
  readonly #id: string;
  /** The common part of both lines of each mutation; empty if nothing was sent. */
  #sent: object[] = [];
  #sentVariables: LoggedMutation['variables'];

  constructor(
    log: AuditLog,
    mutation: LoggedMutation,
    trace: TraceContext | undefined,
    parts: readonly LoggedMutation[] | undefined,
  ) {
    this.#log = log;
    this.#mutation = mutation;
    this.#trace = trace;
    this.#parts = parts;
    this.#id = log.nextId();
  }

  sending(variables: LoggedMutation['variables']): void {
    this.#log.write(() => {
      // A digest of large variables takes time.
      const isRepeated = this.#sent.length > 0 && variables === this.#sentVariables;
      this.#sentVariables = variables;
      if (!isRepeated) this.#sent = this.#describedAll(variables);
      return this.#sent.map((each) => line('sending', each));
    });
  }

  #describedAll(variables: LoggedMutation['variables']): object[] {
    if (!this.#parts) return [this.#described(this.#id, { ...this.#mutation, variables })];
    return this.#parts.map((each, index) => this.#described(`${this.#id}.${index + 1}`, each));
  }

  ended(outcome: LoggedOutcome): void {
    if (this.#sent.length === 0) return;
    this.#log.write(() =>
      this.#sent.map((each, index) =>
        line('ended', each, outcomeOf(this.#outcomeAt(index, outcome))),
      ),
    );
  }

  #outcomeAt(index: number, outcome: LoggedOutcome): LoggedOutcome {
    if (!this.#parts || outcome instanceof IonError) return outcome;
    const own = outcome.members?.outcomes[index];
    if (own && !(own instanceof IonError)) return outcome;
    const { attempts, traceId } = outcome;
    return (own ?? new IonError('ION_RESPONSE', '', { mayHaveRun: true })).with({
      attempts,
      traceId,
    });
  }

  #described(id: string, { operation, variables, origin }: LoggedMutation): object {
    const { node, orderKey, target } = origin ?? {};
    const { type, flow } = node === undefined ? {} : this.#log.placeOf(node);
    return withoutUnknown({
      id,
      ...{ node, type, flow, orderKey },
      operation: operation.name ?? rootFieldOf(operation),
      target: targetOf(target, variables),
      digest: createHash('sha256')
        .update(canonicalJson(variables ?? {}))
        .digest('hex'),
      traceparent: this.#trace?.traceparent,
    });
  }
}

function line(state: 'sending' | 'ended', about: object, outcome: object = {}): object {
  return { time: new Date().toISOString(), state, ...about, ...outcome };
}

function outcomeOf(outcome: LoggedOutcome): object {
  const { attempts, traceId } = outcome;
  if (!(outcome instanceof IonError)) return withoutUnknown({ result: 'ok', attempts, traceId });
  const { code: result, mayHaveRun } = outcome;
  return withoutUnknown({ result, mayHaveRun: mayHaveRun || undefined, attempts, traceId });
}

function rootFieldOf({ definition }: LoggedMutation['operation']): string | undefined {
  const [first] = definition.selectionSet.selections;
  return first?.kind === 'Field' ? first.name.value : undefined;
}

/** The run, the step and the field of the flow, and the ID in the variables. */
function targetOf(
  target: NonNullable<Origin['target']> = {},
  variables: LoggedMutation['variables'] = {},
): object | undefined {
  const { input } = variables;
  const id = isPlainObject(input) ? (input.id ?? variables.id) : variables.id;
  const { run, step, field } = target;
  const known = withoutUnknown({ run, step, field, id });
  const isReference = (value: unknown) => typeof value === 'string' || typeof value === 'number';
  const entries = Object.entries(known)
    .filter(([, value]) => isReference(value))
    .map(([name, value]) => [name, quote(String(value))]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
