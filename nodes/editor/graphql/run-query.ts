// "Run": executes the query in the dialog and shows the result.
import { parseExactly } from '../../client/support/json.js';
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { withSettings } from '../shared/config-settings.js';
import { confirm } from '../shared/confirm.js';
import { latestRequest } from '../shared/latest-request.js';
import { language } from './language.js';

interface QueryRun {
  /** ID of the running config node; empty if none is chosen, `undefined` if none runs. */
  config: string | undefined;
  query: string;
  operationName: string;
  /** JSON as the user typed it. */
  variables: string;
}

const KEYS = ['config', 'query', 'operationName', 'variables'] as const;

interface QueryResult {
  data: unknown;
}

export interface QueryRunner {
  /** Ends a run in flight. */
  cancel(): void;
  /** Marks the result as old if it belongs to another query or other variables than those in the dialog. */
  compare(): void;
}

/** Prepares the button. */
export function prepareRunQuery(node: EditedNode, read: () => QueryRun): QueryRunner {
  const button = $('#ion-graphql-run');
  const result = $('#ion-graphql-result');
  const old = $('#ion-graphql-result-old').hide();
  const requests = latestRequest();
  /** The run that the shown result belongs to. */
  let shown: QueryRun | undefined;

  const compare = () => {
    const now = read();
    const isOld = shown !== undefined && KEYS.some((key) => shown?.[key] !== now[key]);
    result.toggleClass('ion-graphql-old', isOld);
    // The line keeps its place, so that nothing moves that the user is about to click.
    old.css('visibility', isOld ? 'visible' : 'hidden');
  };
  const show = (content: JQuery | string, isError = false) => {
    result.empty().toggleClass('ion-graphql-failed', isError).append(content);
    old.show();
    compare();
    RED.tray.resize();
    // In a low window the result would open below the visible part of the dialog.
    result[0]?.scrollIntoView({ block: 'nearest' });
  };
  const text = (key: string, values?: Record<string, string>) =>
    $('<p>').text(node._(`ion-graphql.trial.${key}`, values));
  const showError = ({ code = '', message, errors, data }: ServerError) => {
    const details = errors || data ? tree({ errors, data }, 'response') : '';
    show($('<div>').append(text('failed', { code, message }), details), true);
  };

  const run = async () => {
    const signal = requests.start();
    const asked = read();
    const { config, query, operationName, variables } = asked;
    shown = undefined;
    try {
      if (!config) {
        show(text(config === undefined ? 'noInstance' : 'noConfig'));
        return;
      }
      const operation = { query, operationName, variables: parseVariables(variables) };
      const needsConfirmation = isMutation(query, operationName);
      if (needsConfirmation && !(await isConfirmed(node))) return;
      if (signal.aborted) return;
      button.prop('disabled', true);
      const label = node._('ion-graphql.trial.running');
      show($('<i class="fa fa-spinner fa-spin">').attr('aria-label', label));
      const wanted = { ...operation, confirmed: needsConfirmation };
      const send = (route: string, body: object) =>
        adminRequest<QueryResult>({ url: `ion-config/${route}`, method: 'POST', body, signal });
      const { data } = await withSettings(
        config,
        () => send(`${encodeURIComponent(config)}/run`, wanted),
        (settings) => send('run', { ...settings, ...wanted }),
      );
      if (signal.aborted) return;
      shown = asked;
      show(tree(data, 'data'));
    } catch (thrown) {
      if (signal.aborted) return;
      shown = asked;
      showError(thrown as ServerError);
    } finally {
      if (!signal.aborted) button.prop('disabled', false);
    }
  };
  button.on('click', (event) => {
    event.preventDefault();
    void run();
  });
  const isPermitted = RED.user.hasPermission('ion-config.write');
  button.prop('disabled', !isPermitted);
  if (!isPermitted) result.append(text('notPermitted'));
  return { cancel: requests.cancel, compare };
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

function parseVariables(json: string): unknown {
  if (json.trim() === '') return undefined;
  try {
    return parseExactly(json);
  } catch (error) {
    throw { code: 'ION_VARIABLES', message: String(error) } satisfies ServerError;
  }
}

/** A value shown as in the debug sidebar. */
function tree(value: unknown, key: string): JQuery {
  const element = RED.utils.createObjectElement(value, {
    rootPath: '',
    key,
    typeHint: 'object',
  });
  // The first levels are opened one after the other: each is created when its parent opens.
  for (let level = 0; level < 2; level++) {
    element.find('.red-ui-debug-msg-expandable').eq(level).trigger('click');
  }
  return element;
}
