// The validators that the dialogs share. Each returns true or an error text.
import {
  isAuto,
  type NumberSetting,
  readNumber,
  readWritesPerRequest,
  writesPerRequest as setting,
} from '../../client/settings.js';
import { referenceIn, variableOf } from '../../client/support/references.js';
import { isTimeZone } from '../../client/support/time-zone.js';

const SHARED = '@ion-nodes/node-red-ion/ion-config:ion-config.invalid.';

/** A number within the limits of its setting, perhaps `auto`, or nothing for the default. */
export function numberFor(setting: NumberSetting) {
  return (value: unknown, { label = '' }: ValidatorOptions): Validation => {
    const { isInteger, min, max, mayBeAuto } = setting;
    if (readNumber(setting, value) !== undefined || (mayBeAuto && isAuto(value))) return true;
    const whole = mayBeAuto ? 'autoOrNumber' : 'wholeNumber';
    return RED._(`${SHARED}${isInteger ? whole : 'number'}`, { label, min, max });
  };
}

/** A text that contains no reference to an environment variable, or is one. */
export function noReference(value: unknown, { label = '' }: ValidatorOptions): Validation {
  const isValid = variableOf(value) !== undefined || referenceIn(value) === undefined;
  return isValid || partOfVariable(label);
}

/** The error text for a reference to an environment variable within a longer text. */
export function partOfVariable(label: string): string {
  return RED._(`${SHARED}reference`, { label });
}

/** A message property for the result: not one that Node-RED or the node uses. */
export function output(value: unknown, { label = '' }: ValidatorOptions): Validation {
  const [root = ''] = String(value).split(/[.[]/);
  const isTaken = ['ion', 'parts', 'complete', 'error', '_msgid'].includes(root);
  if (/^[A-Za-z_$][\w$]*/.test(root) && !isTaken) return true;
  return RED._(`${SHARED}output`, { label });
}

/** One of the choices of a drop-down. */
export function oneOf(...values: string[]) {
  return (value: string, { label = '' }: ValidatorOptions): Validation =>
    values.includes(value) || RED._(`${SHARED}choice`, { label, name: value });
}

/** A property that a node of an older version does not have. */
export function optional(validate: (value: string, options: ValidatorOptions) => Validation) {
  return (value: string | undefined, options: ValidatorOptions): Validation =>
    value === undefined || validate(value, options);
}

/** A time zone by its IANA name, or nothing. */
export function timeZone(value: unknown, { label = '' }: ValidatorOptions): Validation {
  const name = String(value ?? '').trim();
  // Only the server knows the value of a variable.
  if (name === '' || /^\$\{[^}]+\}$/.test(name) || isTimeZone(name)) return true;
  return RED._(`${SHARED}timeZone`, { label });
}

/** `auto`, or a number of writes; nothing stands for `auto`. */
export function writesPerRequest(value: unknown, { label = '' }: ValidatorOptions): Validation {
  if (readWritesPerRequest(value) !== undefined) return true;
  const { min, max } = setting;
  return RED._(`${SHARED}writesPerRequest`, { label, min, max });
}
