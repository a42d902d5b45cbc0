import type { Node, NodeAPI } from 'node-red';
import { Slices } from '../client/support/slices.js';

type Expression = ReturnType<NodeAPI['util']['prepareJSONataExpression']> & {
  _legacyMode?: boolean;
  assign(name: string | symbol, value: unknown): void;
};

/** Limit for the evaluation: the write of an endless one would block Node-RED at each start. */
const MAX_MS = 30_000;
/** Limit for steps within steps: an endless recursion would take all memory. */
const MAX_DEPTH = 50_000;

/**
 * Evaluates JSONata as the nodes of Node-RED do, with functions such as `$flowContext` and `$env`, but
 * in slices, between which the event loop does its other work.
 * @param node whose context the expression may read
 * @param input its properties are the names that the expression can use
 * @throws the error of JSONata; an Error after `maxMs`, at too deep a recursion, or for a result that
 * is a function
 */
export async function evaluateJsonata(
  RED: NodeAPI,
  node: Node,
  text: string,
  input: object,
  maxMs = MAX_MS,
): Promise<unknown> {
  const expression = RED.util.prepareJSONataExpression(text, node) as Expression;
  // Node-RED would put everything into `msg` if the expression names a `msg`.
  expression._legacyMode = false;
  const endsAt = performance.now() + maxMs;
  const tooLong = () => new Error(`it has not ended within ${maxMs / 1000} s`);
  const slices = new Slices();
  let depth = 0;
  callAtSteps(expression, 'entry', () => {
    // JSONata may not let the timer run before it has ended.
    if (performance.now() >= endsAt) throw tooLong();
    if (++depth > MAX_DEPTH) throw new Error('it calls itself too often');
    return slices.isOver ? slices.pause() : undefined;
  });
  callAtSteps(expression, 'exit', () => void depth--);
  let timer: NodeJS.Timeout | undefined;
  const value = await new Promise((resolve, reject) => {
    // Also for a context store that never responds.
    timer = setTimeout(() => reject(tooLong()), maxMs);
    RED.util.evaluateJSONataExpression(expression, input as never, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  }).finally(() => clearTimeout(timer));
  if (isFunction(value)) throw new Error('it gives a function instead of a value');
  return value;
}

/** Sets a function that JSONata calls at each step, under the names that its versions look for. */
function callAtSteps(
  expression: Expression,
  point: 'entry' | 'exit',
  callback: () => Promise<void> | undefined,
): void {
  const name = `__evaluate_${point}`;
  for (const each of [name, Symbol.for(`jsonata.${name}`)]) expression.assign(each, callback);
}

/** Also the objects by which JSONata represents functions. */
function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  const { _jsonata_lambda: isLambda, _jsonata_function: isBuiltIn } = (value ?? {}) as Record<
    string,
    unknown
  >;
  return isLambda === true || isBuiltIn === true;
}
