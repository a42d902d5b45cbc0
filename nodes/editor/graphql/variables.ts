// The variables: their text fits their type, and the test variables are the same JSON until the user
// types others.

/** The default of the property `variables`. */
export const DEFAULT_VARIABLES = { value: 'variables', type: 'msg' };

/** Types whose value is the name of a property. */
const NAMED = ['msg', 'flow', 'global'];

/** Follows the two inputs of the dialog. */
export function prepareVariables(): void {
  const variables = $('#node-input-variables');
  const tested = $('#ion-graphql-test-variables');
  const testedText = () => String(tested.val() ?? '');
  let type = variables.typedInput('type');
  /** The last text of each kind, for a change of the type and back. */
  let json = '{}';
  let name = DEFAULT_VARIABLES.value;
  /** The test variables that came from the variables. */
  let copied = '';

  const follow = () => {
    const text = variables.typedInput('value');
    if (NAMED.includes(type) && isName(text, type)) name = text;
    if (type !== 'json') return;
    json = text;
    if (testedText() !== '' && testedText() !== copied) return;
    tested.val(json);
    // An input of one line drops line breaks.
    copied = testedText();
    tested.trigger('input');
  };
  variables.on('change', () => {
    const [before, text] = [type, variables.typedInput('value')];
    type = variables.typedInput('type');
    const isNowJson = type === 'json' && NAMED.includes(before) && !isJson(text);
    const isNowName = NAMED.includes(type) && before === 'json' && !isName(text, type);
    // Setting the value reports another change.
    if (isNowJson || isNowName) variables.typedInput('value', isNowJson ? json : name);
    else follow();
  });
  follow();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isName(text: string, type: string): boolean {
  return text === '' || RED.utils.validateTypedProperty(text, type, {}) === true;
}
