// "Test connection": asks ION for the owner of the API key, with the values in the dialog.
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { latestRequest } from '../shared/latest-request.js';
import { onDialogChange, readDialog } from './dialog-values.js';

interface WhoAmI {
  me: {
    name: string | null;
    email: string | null;
    organization: { domain: string } | null;
  } | null;
  /** The scheme that worked, if the automatic choice had to change it. */
  authScheme?: 'bearer';
}

/**
 * Prepares the button. `cancel` ends a test in flight.
 * @param idOf the ID of the running config node
 */
export function prepareConnectionTest(node: EditedNode, idOf: () => string): { cancel(): void } {
  const button = $('#ion-config-test');
  const result = $('#ion-config-test-result');
  const requests = latestRequest();

  const show = (className: string, content: JQuery | string) => {
    result.attr('class', className).empty().append(content);
    RED.tray.resize();
  };
  if (!RED.user.hasPermission('ion-config.write')) {
    button.prop('disabled', true);
    show('', $('<span>').text(node._('ion-config.test.notPermitted')));
    return requests;
  }
  const cancel = () => {
    requests.cancel();
    button.prop('disabled', false);
  };
  const test = async () => {
    const signal = requests.start();
    const hasFocus = button.is(':focus');
    button.prop('disabled', true);
    const spinner = $('<i class="fa fa-spinner fa-spin" aria-hidden="true">');
    const running = $('<span>').text(` ${node._('ion-config.test.running')}`);
    show('', running.prepend(spinner));
    try {
      const { me, authScheme } = await adminRequest<WhoAmI>({
        url: 'ion-config/test',
        method: 'POST',
        body: { id: idOf(), ...readDialog() },
        signal,
      });
      if (!signal.aborted) show('ion-config-test-good', describeOwner(node, me, authScheme));
    } catch (thrown) {
      const { code, message } = thrown as ServerError;
      if (!signal.aborted) show('ion-config-test-bad', $('<span>').text(`${code}: ${message}`));
    } finally {
      if (!signal.aborted) {
        button.prop('disabled', false);
        // A disabled button loses the focus.
        if (hasFocus && document.activeElement === document.body) button.trigger('focus');
      }
    }
  };
  button.on('click', (event) => {
    event.preventDefault();
    void test();
  });
  // The form changed, so the test result no longer applies.
  onDialogChange(() => {
    cancel();
    show('', '');
  });
  return { cancel };
}

function describeOwner(
  node: EditedNode,
  me: WhoAmI['me'],
  authScheme: WhoAmI['authScheme'],
): JQuery {
  const values = {
    name: me?.name ?? '',
    email: me?.email ?? '',
    organization: me?.organization?.domain ?? '',
  };
  const owner = node._(`ion-config.test.${me ? 'connected' : 'nobody'}`, values);
  const result = $('<div>').text(owner);
  return authScheme ? result.add($('<div>').text(node._('ion-config.test.bearer'))) : result;
}
