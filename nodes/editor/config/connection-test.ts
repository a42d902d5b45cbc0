// "Test connection": asks ION whose key it is, with the values in the dialog, deployed or not.
import { request, type ServerError } from '../shared/schema.js';

interface WhoAmI {
  me: {
    name: string | null;
    email: string | null;
    organization: { domain: string } | null;
  } | null;
}

/** The properties that the server needs; the dialog's fields are named after them. */
const PROPERTIES = [
  'environment',
  'apiUrl',
  'authUrl',
  'audience',
  'authScheme',
  'timeout',
  'tls',
  'proxy',
] as const;

/**
 * Connects the button, and gives back what ends a test under way.
 * @param idOf the id of the running config node
 */
export function prepareConnectionTest(node: EditedNode, idOf: () => string): { end(): void } {
  const button = $('#ion-config-test');
  const result = $('#ion-config-test-result');
  let running: AbortController | undefined;

  const show = (className: string, content: JQuery | string) => {
    result.attr('class', className).empty().append(content);
    RED.tray.resize();
  };
  if (!RED.user.hasPermission('ion-config.write')) {
    button.prop('disabled', true);
    show('', $('<span>').text(node._('ion-config.test.notPermitted')));
    return { end() {} };
  }
  const end = () => {
    running?.abort();
    running = undefined;
    button.prop('disabled', false);
  };
  const test = async () => {
    end();
    const current = new AbortController();
    running = current;
    const hasFocus = button.is(':focus');
    button.prop('disabled', true);
    const spinner = $('<i class="fa fa-spinner fa-spin" aria-hidden="true">');
    show(
      '',
      $('<span>')
        .text(` ${node._('ion-config.test.running')}`)
        .prepend(spinner),
    );
    try {
      const { me } = await request<WhoAmI>({
        url: 'ion-config/test',
        method: 'POST',
        body: { id: idOf(), ...readDialog() },
        signal: current.signal,
      });
      if (running === current) show('ion-config-test-good', describe(node, me));
    } catch (thrown) {
      const { code, message } = thrown as ServerError;
      if (running === current) show('ion-config-test-bad', $('<span>').text(`${code}: ${message}`));
    } finally {
      if (running === current) {
        end();
        // A button that is disabled loses the focus.
        if (hasFocus && document.activeElement === document.body) button.trigger('focus');
      }
    }
  };
  button.on('click', (event) => {
    event.preventDefault();
    void test();
  });
  // What was tested is not what stands there any more.
  $('#dialog-form, #node-config-dialog-edit-form').on('input change', 'input, select', () => {
    end();
    show('', '');
  });
  return { end };
}

function readDialog(): { config: object; credentials: object } {
  const value = (name: string) => String($(`#node-config-input-${name}`).val() ?? '');
  const config = Object.fromEntries(PROPERTIES.map((name) => [name, value(name)]));
  for (const name of ['tls', 'proxy']) {
    // The editor's own choice for "none yet".
    if (config[name] === '_ADD_') config[name] = '';
  }
  return {
    config: { ...config, allowHttp: $('#node-config-input-allowHttp').is(':checked') },
    credentials: { clientId: value('clientId'), clientSecret: value('clientSecret') },
  };
}

function describe(node: EditedNode, me: WhoAmI['me']): JQuery {
  if (!me) return $('<span>').text(node._('ion-config.test.nobody'));
  const values = {
    name: me.name ?? '',
    email: me.email ?? '',
    organization: me.organization?.domain ?? '',
  };
  return $('<span>').text(node._('ion-config.test.connected', values));
}
