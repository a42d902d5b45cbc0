// The row "Try it". The panel with the result is a separate bundle in resources/, which keeps the start of
// the editor short.
import { latestRequest } from '../shared/latest-request.js';
import { bundleLoader } from '../shared/load-bundle.js';
import { fixedValue, trialQuery } from './trial-query.js';
import type { ShowWork } from './try-panel.js';

const loadPanel = bundleLoader<ShowWork>('lookup-trial.js', () => window.ionLookupTrial);

export interface Try {
  /** Ends a look-up in flight. */
  cancel(): void;
}

/** Prepares the row. Its text box holds the value of the dialog, if that is known. */
export function prepareTry(node: EditedNode): Try {
  const requests = latestRequest();
  const button = $('#ion-lookup-try');
  const input = $('#ion-lookup-try-value').attr(
    'placeholder',
    node._('ion-lookup.placeholder.try'),
  );
  const result = $('#ion-lookup-result');
  const status = result.children('p');
  let prefilled = '';
  /** The values that the shown result belongs to. */
  let asked: string | undefined;
  const values = () => JSON.stringify([$('#node-input-config').val(), trialQuery()]);

  const prefill = () => {
    // A value that the user typed stays.
    if (String(input.val()) !== prefilled) return;
    prefilled = fixedValue('value') ?? '';
    input.val(prefilled);
  };
  const forget = () => {
    if (asked === undefined || asked === values()) return;
    asked = undefined;
    requests.cancel();
    button.prop('disabled', false);
    result.children().empty();
    RED.tray.resize();
  };
  const run = async () => {
    const signal = requests.start();
    const hadFocus = button.is(':focus');
    asked = values();
    button.prop('disabled', true);
    try {
      const show = await loadPanel();
      if (!signal.aborted) await show(node, trialQuery(), result, signal);
    } catch {
      status.text(node._('ion-lookup.try.notLoaded'));
    }
    if (signal.aborted) return;
    button.prop('disabled', false);
    // A disabled button loses the focus.
    if (hadFocus && document.activeElement === document.body) button.trigger('focus');
  };

  $('#node-input-value').on('change', prefill);
  prefill();
  if (!RED.user.hasPermission('ion-config.write')) {
    button.prop('disabled', true);
    status.text(node._('ion-lookup.try.notPermitted'));
    return requests;
  }
  button.on('click', () => void run());
  input.on('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    button.trigger('click');
  });
  $('#dialog-form').on('change input', forget);
  return requests;
}
