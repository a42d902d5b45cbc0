// The choice of a template: it replaces the query, the variables if they are nobody's work, and for a
// mutation the paging. Undo in the query editor brings them all back.
import { confirm } from '../shared/confirm.js';
import { language } from './language.js';
import { type QueryTemplate, queryTemplates } from './query-templates.js';
import { DEFAULT_VARIABLES } from './variables.js';

/** The query in the dialog. */
interface EditedQuery {
  readonly text: string;
  readonly isClosed: boolean;
  replaceText(text: string): void;
}

export interface TemplateChoice {
  /** Follows undo and redo, after the text of the query has changed. */
  follow(): void;
}

/** The query, and the inputs that a template may replace with it. */
interface Contents {
  text: string;
  inputs: Record<keyof typeof inputs, string>;
}

interface Replacement {
  before: Contents;
  after: Contents;
}

const templates: Readonly<Record<string, QueryTemplate>> = queryTemplates;

const inputs = {
  variables: {
    read: () => {
      const input = $('#node-input-variables');
      return JSON.stringify([input.typedInput('type'), input.typedInput('value')]);
    },
    write: (typed: string) => {
      const [type, value] = JSON.parse(typed) as [string, string];
      $('#node-input-variables').typedInput('type', type).typedInput('value', value);
    },
  },
  testVariables: {
    read: () => String($('#ion-graphql-test-variables').val() ?? ''),
    write: (json: string) => void $('#ion-graphql-test-variables').val(json).trigger('input'),
  },
  pages: {
    read: () => String($('#node-input-pages').val()),
    write: (pages: string) => void $('#node-input-pages').val(pages).trigger('change'),
  },
};
const NAMES = Object.keys(inputs) as (keyof typeof inputs)[];

/** Fills the drop-down, and applies the template that the user chooses. */
export function prepareTemplateChoice(node: EditedNode, editor: EditedQuery): TemplateChoice {
  const choice = $('#ion-graphql-starter');
  for (const key of Object.keys(templates)) {
    $('<option>')
      .val(key)
      .text(node._(`ion-graphql.starter.${key}`))
      .appendTo(choice);
  }
  const done: Replacement[] = [];
  let undone: Replacement[] = [];
  let isReplacing = false;
  const contents = (): Contents => ({ text: editor.text, inputs: readInputs() });

  const apply = async (template: QueryTemplate) => {
    const mayReplace = isTemplate(editor.text) || (await isConfirmed(node, template));
    if (!mayReplace || editor.isClosed) return;
    const before = contents();
    isReplacing = true;
    editor.replaceText(template.query);
    isReplacing = false;
    replaceVariables(template);
    replaceTestVariables(template);
    // A mutation cannot be paged.
    if (language.isMutation(template.query, '')) inputs.pages.write('one');
    const after = contents();
    undone = [];
    if (after.text !== before.text) done.push({ before, after });
  };
  choice.on('change', () => {
    const template = templates[String(choice.val())];
    choice.val('');
    if (template) void apply(template);
  });

  const follow = () => {
    if (isReplacing) return;
    const [last, next] = [done.at(-1), undone.at(-1)];
    if (last?.before.text === editor.text) {
      done.pop();
      undone.push(last);
      restoreInputs(last.after, last.before);
    } else if (next?.after.text === editor.text) {
      undone.pop();
      done.push(next);
      restoreInputs(next.before, next.after);
    }
  };
  return { follow };
}

function readInputs(): Contents['inputs'] {
  const values = NAMES.map((name) => [name, inputs[name].read()]);
  return Object.fromEntries(values) as Contents['inputs'];
}

/** Restores the inputs that the user has not changed since. */
function restoreInputs(from: Contents, to: Contents): void {
  for (const name of NAMES) {
    const isUnchanged = inputs[name].read() === from.inputs[name];
    if (isUnchanged && from.inputs[name] !== to.inputs[name]) inputs[name].write(to.inputs[name]);
  }
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
  inputs.variables.write(JSON.stringify([type, value]));
}

function replaceTestVariables({ variables = '' }: QueryTemplate): void {
  if (isExample(inputs.testVariables.read())) inputs.testVariables.write(variables);
}
