// The choice of a template: it replaces the query, the variables if they are nobody's work, and for a
// mutation the paging. A write for the outbox brings its whole set. Undo in the query editor brings
// everything back.
import { confirm } from '../shared/confirm.js';
import { language } from './language.js';
import { type QueryTemplate, queryTemplates } from './query-templates.js';
import { asTyped, type TemplateInputs, templateInputs } from './template-inputs.js';
import { DEFAULT_VARIABLES } from './variables.js';
import { type WriteTemplate, writeTemplates } from './write-templates.js';

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
  inputs: Record<keyof TemplateInputs, string>;
}

interface Replacement {
  before: Contents;
  after: Contents;
}

const writes: Readonly<Record<string, WriteTemplate>> = writeTemplates;
const templates: Readonly<Record<string, QueryTemplate>> = { ...queryTemplates, ...writes };
/** The texts that a write for the outbox brings beside its query and variables. */
const SET = ['prepare', 'prepareVariables', 'alreadyDone'] as const;
const NO_ORDER = asTyped('str', '');

/** Fills the drop-down, and applies the template that the user chooses. */
export function prepareTemplateChoice(
  node: EditedNode,
  editor: EditedQuery,
  preparation: { text: string },
): TemplateChoice {
  const inputs = templateInputs(preparation);
  const choice = $('#ion-graphql-starter');
  fill(choice, node);
  const done: Replacement[] = [];
  let undone: Replacement[] = [];
  let isReplacing = false;
  const contents = (): Contents => ({ text: editor.text, inputs: readInputs(inputs) });

  const apply = async (template: QueryTemplate) => {
    const question = questionBefore(template, editor.text, inputs);
    const mayReplace = question === undefined || (await isConfirmed(node, question));
    if (!mayReplace || editor.isClosed) return;
    const before = contents();
    isReplacing = true;
    editor.replaceText(template.query);
    isReplacing = false;
    replaceSet(template, inputs);
    replaceVariables(template, inputs);
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
      restoreInputs(inputs, last.after, last.before);
    } else if (next?.after.text === editor.text) {
      undone.pop();
      done.push(next);
      restoreInputs(inputs, next.before, next.after);
    }
  };
  return { follow };
}

function fill(choice: JQuery, node: EditedNode): void {
  const option = (key: string, text: string) => $('<option>').val(key).text(text);
  const name = (key: string) => node._(`ion-graphql.starter.${key}`);
  const group = $('<optgroup>').attr('label', name('writes'));
  for (const key of Object.keys(queryTemplates)) choice.append(option(key, name(key)));
  for (const [key, { alreadyDone }] of Object.entries(writes)) {
    const guarantee = alreadyDone === '' ? 'atLeastOnce' : 'exactlyOnce';
    const text = node._(`ion-graphql.starter.${guarantee}`, { name: name(key) });
    group.append(option(key, text));
  }
  choice.append(group);
}

function readInputs(inputs: TemplateInputs): Contents['inputs'] {
  const values = Object.entries(inputs).map(([name, input]) => [name, input.read()]);
  return Object.fromEntries(values) as Contents['inputs'];
}

/** Restores the inputs that the user has not changed since. */
function restoreInputs(inputs: TemplateInputs, from: Contents, to: Contents): void {
  for (const name of Object.keys(inputs) as (keyof TemplateInputs)[]) {
    const isUnchanged = inputs[name].read() === from.inputs[name];
    if (isUnchanged && from.inputs[name] !== to.inputs[name]) inputs[name].write(to.inputs[name]);
  }
}

/** The key of the question that comes before the user's own texts are lost. */
function questionBefore(
  template: QueryTemplate,
  query: string,
  inputs: TemplateInputs,
): string | undefined {
  const isOwnQuery = !isOfTemplate('query', query);
  if (isWrite(template)) {
    const isOwnSet = SET.some((name) => !isOfTemplate(name, inputs[name].read()));
    // Without a change of the query there is nothing to undo.
    if (query === template.query) return isOwnSet ? 'confirmAgain' : undefined;
    return isOwnQuery || isOwnSet ? 'confirmSet' : undefined;
  }
  if (!isOwnQuery) return undefined;
  const both = template.variables !== undefined && mayReplaceVariables();
  return both ? 'confirmBoth' : 'confirm';
}

function isConfirmed(node: EditedNode, question: string): Promise<boolean> {
  const text = node._(`ion-graphql.starter.${question}`);
  return confirm({ text, yes: node._('ion-graphql.starter.confirmed') });
}

function isWrite(template: QueryTemplate): template is WriteTemplate {
  return 'alreadyDone' in template;
}

/** Whether a text is empty, or a template's without changes. */
export function isOfTemplate(
  part: 'query' | 'variables' | (typeof SET)[number],
  text: unknown,
): boolean {
  const given = compact(String(text ?? ''));
  const all = Object.values(templates) as Partial<WriteTemplate>[];
  return given === '' || all.some((each) => compact(each[part] ?? '') === given);
}

/** A text without blanks and line breaks, which an input of one line changes. */
function compact(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Replaces the delivery and what belongs to it. */
function replaceSet(template: QueryTemplate, inputs: TemplateInputs): void {
  if (isWrite(template)) {
    inputs.delivery.write('outbox');
    for (const name of SET) inputs[name].write(template[name]);
  } else {
    // The outbox takes mutations only.
    if (!language.isMutation(template.query, '')) inputs.delivery.write('direct');
    for (const name of SET) {
      if (isOfTemplate(name, inputs[name].read())) inputs[name].write('');
    }
  }
  const order = isWrite(template) && template.order;
  const orders = Object.values(writes).map((each) => each.order && typedOrder(each.order));
  const isOwnOrder = ![NO_ORDER, ...orders].includes(inputs.order.read());
  if (!isOwnOrder) inputs.order.write(order ? typedOrder(order) : NO_ORDER);
}

function typedOrder({ type, value }: { type: string; value: string }): string {
  return asTyped(type, value);
}

function mayReplaceVariables(): boolean {
  const input = $('#node-input-variables');
  const [value, type] = [input.typedInput('value'), input.typedInput('type')];
  if (type === 'json') return isOfTemplate('variables', value);
  return value === '' || (type === DEFAULT_VARIABLES.type && value === DEFAULT_VARIABLES.value);
}

function replaceVariables({ variables }: QueryTemplate, inputs: TemplateInputs): void {
  // An input has one line.
  const example = variables?.replace(/\n\s*/g, ' ');
  if (mayReplaceVariables()) {
    const { value, type } =
      example === undefined ? DEFAULT_VARIABLES : { value: example, type: 'json' };
    inputs.variables.write(asTyped(type, value));
  }
  if (isOfTemplate('variables', inputs.testVariables.read())) {
    inputs.testVariables.write(example ?? '');
  }
}
