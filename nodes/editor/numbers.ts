import { variableOf } from '../client/references.js';
import { type NumberSetting, numberSettings } from '../client/settings.js';
import { labels } from './labels.js';
import { numberFor } from './validators.js';

type NodeType = keyof typeof numberSettings;
type NumberProperties<Type extends NodeType> = Record<
  keyof (typeof numberSettings)[Type],
  { label: string; value: number; validate: ReturnType<typeof numberFor> }
>;

/** The definitions of the numbers that a dialog sets. */
export function numberProperties<Type extends NodeType>(node: Type): NumberProperties<Type> {
  const label = labels(node);
  const properties = Object.entries<NumberSetting>(numberSettings[node]).map(([name, setting]) => [
    name,
    { label: label(name), value: setting.default, validate: numberFor(setting) },
  ]);
  return Object.fromEntries(properties) as NumberProperties<Type>;
}

/** Gives the inputs of an open dialog their limits, and shows the default where they are empty. */
export function prepareNumbers(type: NodeType, node: EditedNode, prefix = 'node-input'): void {
  for (const [name, setting] of Object.entries<NumberSetting>(numberSettings[type])) {
    const { least, most, isWhole } = setting;
    const input = $(`#${prefix}-${name}`);
    input.attr({ min: least, max: most, step: isWhole ? 1 : 'any', placeholder: setting.default });
    const stored = node[name];
    // An input for numbers would lose it.
    if (variableOf(stored)) input.attr('type', 'text').val(String(stored));
  }
}
