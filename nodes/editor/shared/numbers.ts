import type { NumberSetting } from '../../client/settings.js';
import { variableOf } from '../../client/support/references.js';
import { labels } from './labels.js';
import { numberFor } from './validators.js';

type Properties<Name extends string> = Record<
  Name,
  { label: string; value: number; validate: ReturnType<typeof numberFor> }
>;

/** The definitions of the numbers that the dialog of a node sets. */
export function numberProperties<Name extends string>(
  node: string,
  numbers: Record<Name, NumberSetting>,
): Properties<Name> {
  const label = labels(node);
  const properties = Object.entries<NumberSetting>(numbers).map(([name, setting]) => [
    name,
    { label: label(name), value: setting.default, validate: numberFor(setting) },
  ]);
  return Object.fromEntries(properties) as Properties<Name>;
}

/** Gives the inputs of an open dialog their limits, and shows the default where they are empty. */
export function prepareNumbers(
  node: EditedNode,
  numbers: Record<string, NumberSetting>,
  prefix = 'node-input',
): void {
  for (const [name, { default: placeholder, least, most, isWhole }] of Object.entries(numbers)) {
    const input = $(`#${prefix}-${name}`);
    input.attr({ min: least, max: most, step: isWhole ? 1 : 'any', placeholder });
    const stored = node[name];
    // An input for numbers would lose it.
    if (variableOf(stored)) input.attr('type', 'text').val(String(stored));
  }
}
