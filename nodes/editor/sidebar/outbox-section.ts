// The outbox of a card: its numbers, and the failing and rejected writes with the decisions on them.
import type { Choice, Decision, OutboxWrite } from '../config/outbox-write.js';
import { failingWriteItem, rejectedWriteItem, renewAges } from '../config/outbox-writes.js';
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { confirm } from '../shared/confirm.js';
import type { Details, Status } from './status.js';
import { ageText, dialogTexts, numberText, text, timeText } from './texts.js';

type OutboxDetails = NonNullable<Details['outbox']>;

export interface OutboxSection {
  element: JQuery;
  /** @param now the server's clock */
  show(status: Status, now: number): void;
}

/** @param onDecided gets the state after a decision */
export function outboxSection(
  id: string,
  onDecided: (outbox: OutboxDetails) => void,
): OutboxSection {
  const mayDecide = RED.user.hasPermission('ion-config.write');
  const facts = $('<p>');
  const attempt = $('<p>').hide();
  const problem = $('<p class="ion-card-error" role="alert">').hide();
  const lists = { failing: writeList('failing'), refused: writeList('rejected') };
  const notPermitted = $('<p>').text(dialogTexts._('ion-config.outbox.notPermitted'));
  const element = $('<section>').append(
    $('<h4 tabindex="-1">').text(text('outbox')),
    ...[facts, attempt, problem, notPermitted, lists.failing.element, lists.refused.element],
  );
  let shown = '';

  const decide = async (decision: Decision, { sequence }: OutboxWrite) => {
    // A disabled button, and one beside a question, loses the focus.
    const restoreFocus = rememberFocus(element);
    if (decision === 'discard' && !(await isDiscardConfirmed())) {
      restoreFocus();
      return;
    }
    problem.hide();
    const buttons = element.find(`[data-sequence="${sequence}"] button`).prop('disabled', true);
    try {
      const url = `ion-config/${encodeURIComponent(id)}/outbox`;
      const body = { decision, sequences: [sequence] };
      onDecided(await adminRequest<OutboxDetails>({ url, method: 'POST', body }));
    } catch (thrown) {
      const { code, message } = thrown as ServerError;
      problem.text(`${code}: ${message}`).show();
      buttons.prop('disabled', false);
    }
    restoreFocus();
  };
  const showWrites = ({ failing, refused }: OutboxDetails) => {
    const text = JSON.stringify([failing, refused]);
    if (text === shown) {
      renewAges(element);
      return;
    }
    shown = text;
    const restoreFocus = rememberFocus(element);
    lists.failing.show(
      failing.map((write) =>
        failingWriteItem(dialogTexts, write, (choice) => void decide(choice, write)),
      ),
    );
    lists.refused.show(
      refused.map((write) => {
        // The dialog has the editor for a value.
        const { isEditable, ...shown } = write;
        const choose = (choice: Choice) => void decide(choice as Decision, write);
        return rejectedWriteItem(dialogTexts, shown, choose);
      }),
    );
    element.find('.ion-config-outbox-decide').prop('disabled', !mayDecide);
    notPermitted.toggle(!mayDecide && failing.length + refused.length > 0);
    restoreFocus();
  };

  return {
    element,
    show({ outbox, details }, now) {
      element.toggle(outbox !== undefined);
      if (!outbox) return;
      const { waiting, oldest, deliveredPerMinute } = outbox;
      const age = oldest === undefined ? '' : text('oldest', { age: ageText(now - oldest) });
      const counts = { waiting: numberText(waiting), delivered: numberText(deliveredPerMinute) };
      setText(facts, [text('outboxCounts', counts), age].filter((each) => each !== '').join(' · '));
      if (!details.outbox) return;
      setText(attempt, attemptText(details.outbox));
      attempt.toggle(details.outbox.unreachableSince !== undefined);
      showWrites(details.outbox);
    },
  };
}

/** Changes nothing if it has the text, so that a screen reader stays silent. */
export function setText(element: JQuery, text: string): void {
  if (element.text() !== text) element.text(text);
}

/** The next attempt during an outage, whose reason is in the first line of the card. */
function attemptText({ nextTryAt }: OutboxDetails): string {
  if (nextTryAt === undefined) return dialogTexts._('ion-config.outbox.tryingNow');
  return dialogTexts._('ion-config.outbox.nextTry', { next: timeText(nextTryAt) });
}

function writeList(name: 'failing' | 'rejected'): { element: JQuery; show(items: JQuery[]): void } {
  const title = $('<h5>').text(dialogTexts._(`ion-config.outbox.${name}`));
  const list = $('<ol class="ion-card-writes">');
  const element = $('<div>').append(title, list).hide();
  return {
    element,
    show(items) {
      element.toggle(items.length > 0);
      list.empty().append(items);
    },
  };
}

/** @returns a function that gives the focus back to the same button, or else to the title */
function rememberFocus(element: JQuery): () => void {
  const { activeElement } = document;
  if (!activeElement || !element[0]?.contains(activeElement)) return () => {};
  const sequence = $(activeElement).closest('li').attr('data-sequence');
  const [choice = ''] =
    /ion-config-outbox-(?:retry|skip|discard|sender)/.exec(activeElement.className) ?? [];
  return () => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const same = choice && element.find(`li[data-sequence="${sequence}"] .${choice}`);
    if (same && same.length > 0) same.trigger('focus');
    else element.find('h4').trigger('focus');
  };
}

function isDiscardConfirmed(): Promise<boolean> {
  return confirm({
    text: dialogTexts._('ion-config.outbox.confirm', { count: 1 }),
    yes: dialogTexts._('ion-config.outbox.confirmed'),
  });
}
