// "Run": executes what stands in the dialog and shows the answer.
import { parseExactly } from '../../client/support/json.js';
import { request, type ServerError } from '../shared/schema.js';
import { loadLanguage } from './language.js';

interface QueryRun {
  /** `undefined` if none runs. */
  config: string | undefined;
  query: string;
  operationName: string;
  /** JSON, as it was typed. */
  variables: string;
}

interface QueryRunResponse {
  data: unknown;
  attempts: number;
}

/** Connects the button, and gives back what ends a run under way. */
export function prepareRunQuery(node: EditedNode, read: () => QueryRun): { end(): void } {
  const button = $('#ion-graphql-run');
  const result = $('#ion-graphql-result');
  let running: AbortController | undefined;

  const show = (content: JQuery | string, isError = false) => {
    result.empty().toggleClass('ion-graphql-failed', isError).append(content);
    RED.tray.resize();
  };
  const text = (key: string, values?: Record<string, string>) =>
    $('<p>').text(node._(`ion-graphql.trial.${key}`, values));

  const run = async () => {
    running?.abort();
    const current = new AbortController();
    running = current;
    try {
      const { config, query, operationName, variables } = read();
      if (config === undefined) {
        show(text('noInstance'));
        return;
      }
      const body = {
        query,
        operationName,
        variables: parseVariables(variables),
        confirmed: await isAllowed(node, query, operationName),
      };
      button.prop('disabled', true);
      show(
        $('<i class="fa fa-spinner fa-spin">').attr(
          'aria-label',
          node._('ion-graphql.trial.running'),
        ),
      );
      const url = `ion-config/${encodeURIComponent(config)}/run`;
      const answer = await request<QueryRunResponse>({
        url,
        method: 'POST',
        body,
        signal: current.signal,
      });
      if (running === current) show(tree(answer.data));
    } catch (thrown) {
      if (running !== current || thrown === REFUSED) return;
      const { code, message, errors, data } = thrown as ServerError;
      const details = errors || data ? tree({ errors, data }) : '';
      show($('<div>').append(text('failed', { code: code ?? '', message }), details), true);
    } finally {
      if (running === current) button.prop('disabled', false);
    }
  };
  button.on('click', (event) => {
    event.preventDefault();
    void run();
  });
  if (!RED.user.hasPermission('ion-config.write')) {
    button.prop('disabled', true);
    show(text('notPermitted'));
  }
  return {
    end() {
      running?.abort();
      running = undefined;
    },
  };
}

const REFUSED = Symbol('the user said no');

/** Asks before a mutation. Rejects with `REFUSED` when the answer is no. */
async function isAllowed(node: EditedNode, query: string, operationName: string): Promise<boolean> {
  const language = await loadLanguage();
  if (!isMutation(() => language.isMutation(query, operationName))) return false;
  return new Promise((resolve, reject) => {
    const answer = (isYes: boolean) => () => {
      notification.close();
      if (isYes) resolve(true);
      else reject(REFUSED);
    };
    const notification = RED.notify($('<p>').text(node._('ion-graphql.trial.confirm')), {
      type: 'warning',
      modal: true,
      fixed: true,
      buttons: [
        { text: node._('node-red:common.label.cancel'), click: answer(false) },
        {
          text: node._('ion-graphql.trial.confirmed'),
          class: 'primary',
          click: answer(true),
        },
      ],
    });
  });
}

/** What does not parse is sent as it is: the server says what is wrong with it. */
function isMutation(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}

function parseVariables(json: string): unknown {
  if (json.trim() === '') return undefined;
  try {
    return parseExactly(json);
  } catch (error) {
    throw { code: 'ION_VARIABLES', message: String(error) } satisfies ServerError;
  }
}

/** As the debug sidebar shows objects. */
function tree(value: unknown): JQuery {
  const element = RED.utils.createObjectElement(value, {
    rootPath: '',
    key: 'data',
    typeHint: 'object',
  });
  // Open at its first levels, which are made only as they open.
  for (let level = 0; level < 2; level++) {
    element.find('.red-ui-debug-msg-expandable').eq(level).trigger('click');
  }
  return element;
}
