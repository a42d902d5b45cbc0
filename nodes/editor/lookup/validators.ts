import { currentValue } from '../shared/open-node.js';
import { output as resultProperty } from '../shared/validators.js';
import { valueLabel } from './value-label.js';

const INVALID = '@ion-nodes/node-red-ion/ion-lookup:ion-lookup.invalid.';
/** Message properties that the node sets beside the result. */
const TAKEN = ['run', 'step'];

/** The value that is looked up; its name in the dialog depends on the choice. */
export function value(this: EditedNode, given: unknown, _options: ValidatorOptions): Validation {
  const name = valueLabel(currentValue(this, 'by'));
  const text = String(given ?? '');
  if (text.trim() === '') return RED._(`${INVALID}missing`, { label: name });
  return RED.utils.validateTypedProperty(text, currentValue(this, 'valueType'), { label: name });
}

/** The part number, which only serial numbers need. */
export function part(this: EditedNode, given: unknown, options: ValidatorOptions): Validation {
  return currentValue(this, 'by') !== 'serial' || optional(this, 'part', given, options);
}

/** The title of a step, or nothing for the current step. */
export function step(this: EditedNode, given: unknown, options: ValidatorOptions): Validation {
  return optional(this, 'step', given, options);
}

/** A message property for the result that does not hold an ID. */
export function output(given: unknown, options: ValidatorOptions): Validation {
  const [root = ''] = String(given).split(/[.[]/);
  if (!TAKEN.includes(root)) return resultProperty(given, options);
  return RED._(`${INVALID}taken`, { label: options.label ?? '', name: root });
}

function optional(
  node: EditedNode,
  property: string,
  given: unknown,
  options: ValidatorOptions,
): Validation {
  const text = String(given ?? '');
  if (text === '') return true;
  return RED.utils.validateTypedProperty(text, currentValue(node, `${property}Type`), options);
}
