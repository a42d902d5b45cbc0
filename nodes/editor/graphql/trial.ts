// "Test query": its buttons, and the area that shows a result, a failure or a reason.
import { parseExactly } from '../../client/support/json.js';
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { withSettings } from '../shared/config-settings.js';
import { latestRequest } from '../shared/latest-request.js';

/** The values of the dialog that a result belongs to. */
type Values = Readonly<Record<string, string | undefined>>;

interface TrialTools {
  readonly signal: AbortSignal;
  /** Shows that the result is not there yet. */
  wait(): void;
}

interface TrialButton<Asked extends Values> {
  button: JQuery;
  read(): Asked;
  /**
   * Returns the result, or nothing to leave the area as it is. Rejects with a `ServerError`.
   * @param asked what `read` returned when the user clicked
   */
  work(asked: Asked, tools: TrialTools): Promise<JQuery | undefined>;
}

export interface Trial {
  add<Asked extends Values>(button: TrialButton<Asked>): void;
  /** Ends a test in flight. */
  cancel(): void;
  /** Marks the result as old if it belongs to other values than those in the dialog. */
  compare(): void;
}

/** The area of a result, and the line that marks it as old. */
interface TrialArea {
  result: JQuery;
  old: JQuery;
}

/** Prepares an area, that of the dialog by default. */
export function prepareTrial(
  node: EditedNode,
  { result, old }: TrialArea = {
    result: $('#ion-graphql-result'),
    old: $('#ion-graphql-result-old'),
  },
): Trial {
  const buttons: JQuery[] = [];
  old.hide();
  const requests = latestRequest();
  /** The values that the shown result belongs to, and how to read them again. */
  let shown: { asked: Values; read(): Values } | undefined;
  const isPermitted = RED.user.hasPermission('ion-config.write');
  if (!isPermitted) result.append(trialText(node, 'notPermitted'));

  const compare = () => {
    const now = shown?.read() ?? {};
    const isOld = Object.entries(shown?.asked ?? {}).some(([key, value]) => value !== now[key]);
    result.toggleClass('ion-graphql-old', isOld);
    // The line keeps its place, so that nothing moves that the user is about to click.
    old.css('visibility', isOld ? 'visible' : 'hidden');
  };
  const show = (content: JQuery, isError = false) => {
    result.empty().toggleClass('ion-graphql-failed', isError).append(content);
    old.show();
    compare();
    RED.tray.resize();
    // In a low window the result would open below the visible part of the dialog.
    result[0]?.scrollIntoView({ block: 'nearest' });
  };
  const setEnabled = (isEnabled: boolean) => {
    for (const button of buttons) button.prop('disabled', !(isEnabled && isPermitted));
  };
  const wait = () => {
    setEnabled(false);
    const label = node._('ion-graphql.trial.running');
    show($('<i class="fa fa-spinner fa-spin">').attr('aria-label', label));
  };

  const test = async <Asked extends Values>({ read, work }: TrialButton<Asked>) => {
    const signal = requests.start();
    const asked = read();
    shown = undefined;
    try {
      const content = await work(asked, { signal, wait });
      if (signal.aborted || !content) return;
      shown = { asked, read };
      show(content);
    } catch (thrown) {
      if (signal.aborted) return;
      shown = { asked, read };
      show(failure(node, thrown as ServerError), true);
    } finally {
      if (!signal.aborted) setEnabled(true);
    }
  };
  return {
    add(added) {
      buttons.push(added.button);
      setEnabled(true);
      added.button.on('click', (event) => {
        event.preventDefault();
        void test(added);
      });
    },
    cancel: requests.cancel,
    compare,
  };
}

export function trialText(node: EditedNode, key: string, values?: Record<string, string>): JQuery {
  return $('<p>').text(node._(`ion-graphql.trial.${key}`, values));
}

function failure(node: EditedNode, { code = '', message, errors, data }: ServerError): JQuery {
  const details = errors || data ? tree({ errors, data }, 'response') : '';
  return $('<div>').append(trialText(node, 'failed', { code, message }), details);
}

/** The variables that the user typed. Throws a `ServerError`. */
export function parseVariables(json: string): unknown {
  if (json.trim() === '') return undefined;
  try {
    return parseExactly(json);
  } catch (error) {
    throw { code: 'ION_VARIABLES', message: String(error) } satisfies ServerError;
  }
}

interface TrialOperation {
  query: string;
  operationName: string;
  variables: unknown;
  /** Whether the user confirmed a mutation. */
  confirmed: boolean;
}

/** The data of an operation, with a deployed config node or its settings in the editor. */
export async function dataOf(
  config: string,
  operation: TrialOperation,
  signal: AbortSignal,
): Promise<unknown> {
  const send = (route: string, body: object) =>
    adminRequest<{ data: unknown; dryRun?: true; request?: unknown }>({
      url: `ion-config/${route}`,
      method: 'POST',
      body,
      signal,
    });
  const { data, dryRun, request } = await withSettings(
    config,
    () => send(`${encodeURIComponent(config)}/run`, operation),
    (settings) => send('run', { ...settings, ...operation }),
  );
  return dryRun ? { dryRun, request, data } : data;
}

/** A value shown as in the debug sidebar. */
export function tree(value: unknown, key: string): JQuery {
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
