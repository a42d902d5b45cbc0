// "Check everything": asks the server to check the values in the dialog and the nodes that use them. It
// is a separate bundle, which the page loads when the button is first used (check-button.ts).
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import type { ConfigSettings } from '../shared/config-settings.js';
import { type CheckResult, lineItem, resultText, sorted, summaryOf } from './check-lines.js';
import { checkTexts } from './check-texts.js';

/** Loaded with the bundle, like its script. */
const STYLE = `
.ion-check-head { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; justify-content: space-between; margin: 8px 0 6px; }
#ion-config-check-result .ion-check-list { margin: 0 0 12px; padding: 0; list-style: none; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 4px; }
.ion-check-list li { display: grid; grid-template-columns: 16px 128px minmax(0, 1fr); gap: 0 8px; align-items: baseline; padding: 5px 8px; border-bottom: 1px solid var(--red-ui-secondary-border-color); }
.ion-check-list li:last-child { border-bottom: none; }
.ion-check-list b { overflow-wrap: anywhere; }
.ion-check-text { overflow-wrap: anywhere; }
.ion-check-ok b { font-weight: normal; }
.ion-check-failed > i { color: var(--red-ui-text-color-error); }
.ion-check-ok > i { color: var(--red-ui-text-color-success); }
.ion-check-unknown > i { color: var(--red-ui-text-color-warning); }
.ion-check-advice { margin-top: 2px; padding-left: 18px; text-indent: -18px; }
.ion-check-advice > i { width: 18px; text-indent: 0; }
`;

/** Runs a check and shows its result. The signal ends it. */
async function check(settings: ConfigSettings, result: JQuery, signal: AbortSignal): Promise<void> {
  const texts = checkTexts();
  const show = (head: JQuery[], items: JQuery[] = []) => {
    // Only the head is read aloud when it changes.
    result.children('.ion-check-head').empty().append(head);
    result.children('.ion-check-list').empty().append(items);
    RED.tray.resize();
  };
  const spinner = $('<i class="fa fa-spinner fa-spin" aria-hidden="true">');
  show([$('<span>').append(spinner, document.createTextNode(` ${texts.running}`))]);
  try {
    const found = await adminRequest<CheckResult>({
      ...{ url: 'ion-config/check', method: 'POST', body: settings, signal },
    });
    if (signal.aborted) return;
    const lines = sorted(found.lines);
    const copy = $('<button type="button" class="red-ui-button red-ui-button-small">')
      .append($('<i class="fa fa-clipboard" aria-hidden="true">'), ` ${texts.copy}`)
      .on('click', () => {
        RED.clipboard.copyText(resultText(texts, { ...found, lines }));
        RED.notify($('<span>').text(texts.copied), { type: 'success' });
      });
    const summary = $('<span>').text(summaryOf(texts, lines));
    const style = $('<style>').text(STYLE);
    show(
      [style, summary, copy],
      lines.map((line) => lineItem(texts, line)),
    );
  } catch (thrown) {
    const { code, message } = thrown as ServerError;
    if (signal.aborted) return;
    show([$('<span class="ion-config-test-bad">').text(`${code}: ${message}`)]);
  }
}

export type Check = typeof check;

declare global {
  interface Window {
    ionCheck?: Check;
  }
}

window.ionCheck = check;
