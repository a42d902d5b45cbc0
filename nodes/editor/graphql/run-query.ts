// "Run": executes the query in the dialog and shows the result.
import { confirm } from '../shared/confirm.js';
import { language } from './language.js';
import { dataOf, parseVariables, type Trial, tree, trialText } from './trial.js';

type QueryRun = {
  /** ID of the running config node; empty if none is chosen, `undefined` if none runs. */
  config: string | undefined;
  query: string;
  operationName: string;
  /** JSON as the user typed it. */
  variables: string;
};

/** Prepares the button. */
export function prepareRunQuery(node: EditedNode, trial: Trial, read: () => QueryRun): void {
  trial.add({
    button: $('#ion-graphql-run'),
    read,
    async work({ config, query, operationName, variables }, { signal, wait }) {
      if (!config) return trialText(node, config === undefined ? 'noInstance' : 'noConfig');
      const operation = { query, operationName, variables: parseVariables(variables) };
      const confirmed = isMutation(query, operationName);
      if (confirmed && !(await isConfirmed(node))) return undefined;
      if (signal.aborted) return undefined;
      wait();
      return tree(await dataOf(config, { ...operation, confirmed }, signal), 'data');
    },
  });
}

function isMutation(query: string, operationName: string): boolean {
  try {
    return language.isMutation(query, operationName);
  } catch {
    // A text with a syntax error is sent unchanged: the server reports the error.
    return false;
  }
}

function isConfirmed(node: EditedNode): Promise<boolean> {
  const [text, yes] = [node._('ion-graphql.trial.confirm'), node._('ion-graphql.trial.confirmed')];
  return confirm({ text, yes });
}
