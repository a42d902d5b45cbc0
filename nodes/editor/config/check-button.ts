// The button "Check everything". The check is a separate bundle in resources/, which keeps the start of
// the editor short.
import { latestRequest } from '../shared/latest-request.js';
import { bundleLoader } from '../shared/load-bundle.js';
import type { Check } from './check.js';
import { onDialogChange, readDialog } from './dialog-values.js';

const loadCheck = bundleLoader<Check>('check.js', () => window.ionCheck);

/**
 * Prepares the button. `cancel` ends a check in flight.
 * @param idOf the ID of the running config node
 */
export function prepareCheck(idOf: () => string): { cancel(): void } {
  const button = $('#ion-config-check');
  const result = $('#ion-config-check-result');
  const requests = latestRequest();
  const run = async () => {
    const signal = requests.start();
    const hasFocus = button.is(':focus');
    button.prop('disabled', true);
    try {
      const check = await loadCheck();
      await check({ id: idOf(), ...readDialog() }, result, signal);
    } catch (thrown) {
      result.children('.ion-check-head').text(String(thrown));
    }
    if (signal.aborted) return;
    button.prop('disabled', false);
    // A disabled button loses the focus.
    if (hasFocus && document.activeElement === document.body) button.trigger('focus');
  };
  button.prop('disabled', !RED.user.hasPermission('ion-config.write'));
  button.on('click', () => void run());
  onDialogChange(() => {
    requests.cancel();
    result.children().empty();
    button.prop('disabled', !RED.user.hasPermission('ion-config.write'));
  });
  return requests;
}
