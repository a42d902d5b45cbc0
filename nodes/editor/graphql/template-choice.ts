// The choice of a template: it replaces the query, and the variables if they are nobody's work.
import { confirm } from '../shared/confirm.js';
import { type QueryTemplate, queryTemplates } from './query-templates.js';

/** The query in the dialog. */
interface EditedQuery {
  readonly text: string;
  readonly isClosed: boolean;
  replaceText(text: string): void;
}

const templates: Readonly<Record<string, QueryTemplate>> = queryTemplates;
/** The default of the property `variables`. */
const DEFAULT_VARIABLES = { value: 'variables', type: 'msg' };

/** Fills the drop-down, and applies the template that the user chooses. */
export function prepareTemplateChoice(node: EditedNode, editor: EditedQuery): void {
  const choice = $('#ion-graphql-starter');
  for (const key of Object.keys(templates)) {
    $('<option>')
      .val(key)
      .text(node._(`ion-graphql.starter.${key}`))
      .appendTo(choice);
  }
  const apply = async (template: QueryTemplate) => {
    const mayReplace = isTemplate(editor.text) || (await isConfirmed(node, template));
    if (!mayReplace || editor.isClosed) return;
    editor.replaceText(template.query);
    replaceVariables(template);
    replaceTestValues(template);
  };
  choice.on('change', () => {
    const template = templates[String(choice.val())];
    choice.val('');
    if (template) void apply(template);
  });
}

/** Whether a query is empty or a template without changes. */
function isTemplate(query: string): boolean {
  const text = query.trim();
  return text === '' || Object.values(templates).some((each) => each.query.trim() === text);
}

function isConfirmed(node: EditedNode, template: QueryTemplate): Promise<boolean> {
  const both = template.variables !== undefined && mayReplaceVariables();
  const text = node._(`ion-graphql.starter.${both ? 'confirmBoth' : 'confirm'}`);
  return confirm({ text, yes: node._('ion-graphql.starter.confirmed') });
}

/** Whether variables are the example of a template, or empty. */
function isExample(json: unknown): boolean {
  const text = String(json ?? '').trim();
  return text === '' || Object.values(templates).some(({ variables }) => variables === text);
}

function mayReplaceVariables(): boolean {
  const input = $('#node-input-variables');
  const [value, type] = [input.typedInput('value'), input.typedInput('type')];
  if (type === 'json') return isExample(value);
  return value === '' || (type === DEFAULT_VARIABLES.type && value === DEFAULT_VARIABLES.value);
}

function replaceVariables({ variables }: QueryTemplate): void {
  if (!mayReplaceVariables()) return;
  const { value, type } =
    variables === undefined ? DEFAULT_VARIABLES : { value: variables, type: 'json' };
  const input = $('#node-input-variables');
  input.typedInput('type', type);
  input.typedInput('value', value);
}

function replaceTestValues({ variables = '' }: QueryTemplate): void {
  const input = $('#ion-graphql-test-variables');
  if (isExample(input.val())) input.val(variables).trigger('input');
}
