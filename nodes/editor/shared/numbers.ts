import type { NumberSetting } from '../../client/settings.js';
import { variableOf } from '../../client/support/references.js';
import { labels } from './labels.js';
import { numberFor } from './validators.js';

type Properties<Name extends string> = Record<
  Name,
  { label: string; value: number | 'auto'; validate: ReturnType<typeof numberFor> }
>;

/** The definitions of the number properties of a node. */
export function numberProperties<Name extends string>(
  node: string,
  numbers: Record<Name, NumberSetting>,
): Properties<Name> {
  const label = labels(node);
  const properties = Object.entries<NumberSetting>(numbers).map(([name, setting]) => [
    name,
    {
      label: label(name),
      value: setting.mayBeAuto ? 'auto' : setting.default,
      validate: numberFor(setting),
    },
  ]);
  return Object.fromEntries(properties) as Properties<Name>;
}

/** Sets the limits of the number inputs of an open dialog. An empty input shows the default. */
export function prepareNumbers(
  node: EditedNode,
  numbers: Record<string, NumberSetting>,
  prefix = 'node-input',
): void {
  for (const [name, { default: placeholder, min, max, isInteger }] of Object.entries(numbers)) {
    const input = $(`#${prefix}-${name}`);
    input.attr({ min: min, max: max, step: isInteger ? 1 : 'any', placeholder });
    const stored = node[name];
    // A number input cannot hold a reference to an environment variable.
    if (variableOf(stored)) input.attr('type', 'text').val(String(stored));
  }
}
