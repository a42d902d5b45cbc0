// "Check everything" in a card, with the lines of the dialog.
import {
  type CheckResult,
  lineItem,
  resultText,
  sorted,
  summaryOf,
} from '../config/check-lines.js';
import { checkTexts } from '../config/check-texts.js';
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { text } from './texts.js';

/** @param beside a button that does something else */
export function checkSection(id: string, beside: JQuery): JQuery {
  const mayCheck = RED.user.hasPermission('ion-config.write');
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">').append(
    $('<i class="fa fa-stethoscope" aria-hidden="true">'),
    document.createTextNode(` ${text('check')}`),
  );
  const head = $('<div class="ion-check-head" role="status">');
  const list = $('<ul class="ion-check-list">');
  const show = (content: JQuery[], items: JQuery[] = []) => {
    head.empty().append(content);
    list
      .empty()
      .append(items)
      .toggle(items.length > 0);
  };
  const run = async () => {
    const texts = checkTexts();
    const hadFocus = button.is(':focus');
    button.prop('disabled', true);
    show([$('<span>').text(texts.running)]);
    try {
      const url = `ion-config/${encodeURIComponent(id)}/check`;
      const found = await adminRequest<CheckResult>({ url, method: 'POST', body: {} });
      const lines = sorted(found.lines);
      const copy = $('<button type="button" class="red-ui-button red-ui-button-small">')
        .append($('<i class="fa fa-clipboard" aria-hidden="true">'), ` ${texts.copy}`)
        .on('click', () => {
          RED.clipboard.copyText(resultText(texts, { ...found, lines }));
          RED.notify($('<span>').text(texts.copied), { type: 'success' });
        });
      const summary = $('<span>').text(summaryOf(texts, lines));
      show(
        [summary, copy],
        lines.map((line) => lineItem(texts, line)),
      );
    } catch (thrown) {
      const { code, message } = thrown as ServerError;
      show([$('<span class="ion-card-error">').text(`${code}: ${message}`)]);
    }
    button.prop('disabled', false);
    // A disabled button loses the focus.
    if (hadFocus && document.activeElement === document.body) button.trigger('focus');
  };
  if (!mayCheck) button.prop('disabled', true).attr('title', text('checkNotPermitted'));
  button.on('click', () => void run());
  return $('<section>').append(
    $('<div class="ion-card-buttons">').append(button, beside),
    head,
    list.hide(),
  );
}
