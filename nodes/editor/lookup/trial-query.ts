// The query of a trial, from the values in the dialog.

/** Types of a typed input whose value is known in the dialog. */
const FIXED = ['str', 'num'];

export interface TrialQuery {
  by: string;
  value: string;
  part: string;
  step: string;
  fields: boolean;
}

/** The value of a typed input; `undefined` if it depends on the message. */
export function fixedValue(name: string): string | undefined {
  const input = $(`#node-input-${name}`);
  return FIXED.includes(input.typedInput('type')) ? input.typedInput('value').trim() : undefined;
}

/** The query. Inputs that depend on the message are empty, except for the value, which the user types. */
export function trialQuery(): TrialQuery {
  const by = String($('#node-input-by').val() ?? '');
  return {
    by,
    value: String($('#ion-lookup-try-value').val() ?? ''),
    part: by === 'serial' ? (fixedValue('part') ?? '') : '',
    step: fixedValue('step') ?? '',
    fields: $('#node-input-fields').is(':checked'),
  };
}
