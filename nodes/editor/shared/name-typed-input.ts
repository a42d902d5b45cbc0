const SOURCE = '@ion-nodes/node-red-ion/ion-step:ion-step.label.source';

/**
 * Names the parts of a typed input for screen readers: the label in its row belongs to the original
 * input, which Node-RED hides.
 */
export function nameTypedInput(input: JQuery, name: string): void {
  const parts = input.next('.red-ui-typedInput-container');
  parts.find('.red-ui-typedInput-input').attr('aria-label', name);
  parts.find('.red-ui-typedInput-type-select').attr('aria-label', RED._(SOURCE, { name }));
  parts.find('.red-ui-typedInput-option-expand').attr('aria-label', `${name} …`);
}
