/** The validators that the dialogs share: each returns true or a text of the node's catalogue. */

import { isTimeZone } from '../client/time-zone.js';

const SHARED = '@ion-nodes/node-red-ion/ion-config:ion-config.invalid.';

/** A number of at least `least`, or nothing where the default applies. */
export function numberFrom(least: number, { whole = true } = {}) {
  return (value: unknown, { label = '' }: ValidatorOptions): Validation => {
    if (value === '' || value === undefined) return true;
    const number = Number(value);
    if (number >= least && (!whole || Number.isInteger(number))) return true;
    return RED._(`${SHARED}${whole ? 'wholeNumber' : 'number'}`, { label, least });
  };
}

/** A message property that the result may be put into: not one that Node-RED or the node uses. */
export function output(value: unknown, { label = '' }: ValidatorOptions): Validation {
  const [root = ''] = String(value).split(/[.[]/);
  const isTaken = ['ion', 'parts', 'complete', 'error', '_msgid'].includes(root);
  if (/^[A-Za-z_$][\w$]*/.test(root) && !isTaken) return true;
  return RED._(`${SHARED}output`, { label });
}

/** One of those that a drop-down offers. */
export function oneOf(...values: string[]) {
  return (value: string, { label = '' }: ValidatorOptions): Validation =>
    values.includes(value) || RED._(`${SHARED}choice`, { label, name: value });
}

/** A time zone by its IANA name, or nothing. */
export function timeZone(value: unknown, { label = '' }: ValidatorOptions): Validation {
  const name = String(value ?? '').trim();
  // Only the server knows the value of a variable.
  if (name === '' || /^\$\{[^}]+\}$/.test(name) || isTimeZone(name)) return true;
  return RED._(`${SHARED}timeZone`, { label });
}
