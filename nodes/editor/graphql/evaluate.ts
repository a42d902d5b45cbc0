// "Evaluate": runs "Prepare" with the test variables and shows what the two expressions give.

import { isPlainObject } from '../../client/support/json.js';
import { isNothing } from '../../outbox/is-nothing.js';
import { isKind } from './is-kind.js';
import { language } from './language.js';
import { dataOf, parseVariables, type Trial, tree, trialText } from './trial.js';

type Inputs = {
  /** ID of the running config node; empty if none is chosen, `undefined` if none runs. */
  config: string | undefined;
  /** `undefined` if it comes from another source than the editor. */
  query: string | undefined;
  operationName: string;
  prepare: string;
  /** JSON as the user typed it. */
  variables: string;
  prepareVariables: string;
  alreadyDone: string;
};

type Variables = Record<string, unknown>;

/** Names that the expressions can use; `data` is missing without "Prepare". */
interface Context {
  variables: Variables | undefined;
  data?: unknown;
  msg: object;
}

/** Functions that need the running flow. */
const OF_THE_FLOW = ['flowContext', 'globalContext', 'env', 'moment'];

/** Prepares the button. */
export function prepareEvaluate(node: EditedNode, trial: Trial, read: () => Inputs): void {
  trial.add({
    button: $('#ion-graphql-evaluate'),
    read,
    async work(inputs, { signal, wait }) {
      const { config, query, operationName, prepare, prepareVariables, alreadyDone } = inputs;
      const variables = parseVariables(inputs.variables);
      if (variables !== undefined && !isPlainObject(variables)) {
        throw { code: 'ION_VARIABLES', message: node._('ion-graphql.trial.noObject') };
      }
      const context: Context = { variables, msg: {} };
      if (prepare.trim() !== '') {
        if (!config) return trialText(node, config === undefined ? 'noInstance' : 'noConfig');
        if (isKind('mutation', prepare, '')) {
          throw { code: 'ION_QUERY', message: node._('ion-graphql.invalid.prepare') };
        }
        wait();
        const operation = { query: prepare, operationName: '', confirmed: false };
        const declared = declaredVariables(operation, variables);
        context.data = await dataOf(config, { ...operation, variables: declared }, signal);
      }
      const sent = await attempt(() =>
        isBlank(prepareVariables) ? (variables ?? {}) : evaluate(node, prepareVariables, context),
      );
      const found = await attempt(() =>
        isBlank(alreadyDone) ? undefined : evaluate(node, alreadyDone, context),
      );
      // The outcome comes first, because the data may be long.
      const parts = [
        ...(isBlank(alreadyDone) ? [] : part(node, 'alreadyDone', ...outcome(node, found))),
        ...part(node, 'prepareVariables', ...sentVariables(node, sent, { query, operationName })),
        ...('data' in context ? part(node, 'prepare', tree(context.data, 'data')) : []),
      ];
      return $('<div class="ion-graphql-evaluation">').append(parts);
    },
  });
}

/** The query; `undefined` if it is not known. */
interface Declaring {
  query: string | undefined;
  operationName: string;
}

/** The variables that an operation declares: ION gets no others. Without a valid query, all. */
export function declaredVariables({ query, operationName }: Declaring, variables: Variables = {}) {
  if (query === undefined) return variables;
  try {
    const declared = language.variablesOf(query, operationName);
    const entries = Object.entries(variables);
    return Object.fromEntries(entries.filter(([name]) => declared.includes(name)));
  } catch {
    return variables;
  }
}

async function evaluate(node: EditedNode, text: string, context: Context): Promise<unknown> {
  const expression = jsonata(text);
  for (const name of OF_THE_FLOW) {
    expression.assign(name, () => {
      throw new Error(node._('ion-graphql.trial.onlyInFlow', { name: `$${name}` }));
    });
  }
  expression.assign('clone', (value: unknown) => structuredClone(value));
  return expression.evaluate(context);
}

type Attempt = { value: unknown } | { failure: string };

async function attempt(work: () => unknown): Promise<Attempt> {
  try {
    // Objects of JSONata have no prototype, which the tree of the editor needs.
    return { value: structuredClone(await work()) };
  } catch (thrown) {
    // JSONata's own errors are objects with a message.
    return { failure: String((thrown as Partial<Error>).message ?? thrown) };
  }
}

function sentVariables(node: EditedNode, sent: Attempt, declaring: Declaring): JQuery[] {
  if ('failure' in sent) return [failed(sent.failure)];
  const { value } = sent;
  if (!isPlainObject(value)) return [failed(node._('ion-graphql.trial.notSent'))];
  const names = missingVariables(declaring, value).map((name) => `$${name}`);
  const missing = node._('ion-graphql.trial.missing', { names: names.join(', ') });
  return [
    ...(names.length > 0 ? [failed(missing)] : []),
    tree(declaredVariables(declaring, value), 'variables'),
  ];
}

/** The variables without which ION rejects the operation; none if it is not a valid query. */
function missingVariables({ query, operationName }: Declaring, variables: Variables): string[] {
  if (query === undefined) return [];
  try {
    const required = language.requiredVariablesOf(query, operationName);
    return required.filter((name) => (variables[name] ?? null) === null);
  } catch {
    return [];
  }
}

function outcome(node: EditedNode, found: Attempt): JQuery[] {
  if ('failure' in found) return [failed(found.failure)];
  if (isNothing(found.value)) return [trialText(node, 'nothing')];
  return [trialText(node, 'found'), tree(found.value, 'payload')];
}

/** A part of the result below the label of its row. */
function part(node: EditedNode, label: string, ...content: JQuery[]): JQuery[] {
  return [$('<h4>').text(node._(`ion-graphql.label.${label}`)), ...content];
}

function failed(message: string): JQuery {
  return $('<p class="ion-graphql-failure">').text(message);
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
