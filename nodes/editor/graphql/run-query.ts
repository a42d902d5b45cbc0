// "Run": executes the query in the dialog and shows the result.

import { isPlainObject } from '../../client/support/json.js';
import { confirm } from '../shared/confirm.js';
import { declaredVariables } from './evaluate.js';
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

interface RunOptions {
  /** That of the dialog by default. */
  button?: JQuery;
  /** Whether the query is that of "Prepare", which gets the variables that it declares. */
  isPreparation?: boolean;
}

/** Prepares the button. */
export function prepareRunQuery(
  node: EditedNode,
  trial: Trial,
  read: () => QueryRun,
  { button = $('#ion-graphql-run'), isPreparation = false }: RunOptions = {},
): void {
  trial.add({
    button,
    read,
    async work({ config, query, operationName, variables: json }, { signal, wait }) {
      if (!config) return trialText(node, config === undefined ? 'noInstance' : 'noConfig');
      const given = parseVariables(json);
      const isNarrowed = isPreparation && isPlainObject(given);
      const variables = isNarrowed ? declaredVariables({ query, operationName }, given) : given;
      const operation = { query, operationName, variables };
      const confirmed = isMutation(query, operationName);
      if (confirmed && isPreparation) {
        throw { code: 'ION_QUERY', message: node._('ion-graphql.invalid.prepare') };
      }
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
