// The list items of the outbox: one for each failing or rejected write.
import { nodeOfRunning } from '../subflows/instances.js';
import type { Choice, Decision, FailingWrite, OutboxWrite, RejectedWrite } from './outbox-write.js';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** A rejected write: its target, ION's error, and the buttons that decide on it. */
export function rejectedWriteItem(
  node: Texts,
  write: RejectedWrite,
  choose: (choice: Choice) => void,
): JQuery {
  const { givenUpAt, retries: count = 0, isEditable } = write;
  const again = count === 0 ? '' : node._('ion-config.outbox.rejectedAgain', { count });
  const rejectedAt = node._('ion-config.outbox.rejectedAt', { time: timeOf(givenUpAt) });
  const labels = { retry: 'retry', ...(isEditable && { edit: 'edit' }), discard: 'discard' };
  return listItem(node, write, rejectedAt).append(
    again === '' ? '' : $('<div class="ion-config-outbox-tries">').text(again),
    buttons(node, write, labels, choose),
  );
}

export function failingWriteItem(
  node: Texts,
  write: FailingWrite,
  decide: (decision: Decision) => void,
): JQuery {
  const { tries: count, since, nextTryAt } = write;
  const next = nextTryAt === undefined ? '' : timeOf(nextTryAt);
  const key = nextTryAt === undefined ? 'trying' : 'tries';
  const text = node._(`ion-config.outbox.${key}`, { count, since: timeOf(since), next });
  const labels = { retry: 'tryNow', skip: 'skip', discard: 'discard' };
  return listItem(node, write).append(
    $('<div class="ion-config-outbox-tries">').text(text),
    buttons(node, write, labels, (choice) => decide(choice as Decision)),
  );
}

export function describeWrite(node: Texts, write: OutboxWrite): string {
  const { action, target, operation, filename, orderKey } = write;
  const name = operation ?? filename ?? '';
  const parts = [
    ...(['run', 'step', 'field'] as const).map((part) => [part, target[part]] as const),
  ];
  const targets = [...parts, ['orderKey', orderKey] as const].flatMap(([part, name]) =>
    (name ?? '') === '' ? [] : [node._(`ion-config.outbox.target.${part}`, { name: name ?? '' })],
  );
  return [node._(`ion-config.outbox.action.${action}`, { name }).trim(), ...targets].join(' · ');
}

/** Date and time in the editor's language. */
export function timeOf(ms: number): string {
  return new Date(ms).toLocaleString(RED.i18n.lang());
}

/** Such as "3h ago", in the editor's language. */
function ageOf(ms: number): string {
  const age = Math.max(0, Date.now() - ms);
  const [unit, length] = UNITS.find(([, length]) => age >= length) ?? (['second', 1000] as const);
  const format = new Intl.RelativeTimeFormat(RED.i18n.lang(), { style: 'short' });
  return format.format(-Math.floor(age / length), unit);
}

/** @param note a text behind the name of the node */
function listItem(node: Texts, write: OutboxWrite, note = ''): JQuery {
  const { value, acceptedAt, error } = write;
  const from = [...senderElements(node, write), ...(note === '' ? [] : [$('<span>').text(note)])];
  return $('<li>')
    .attr('data-sequence', write.sequence)
    .append(
      $('<div class="ion-config-outbox-what">').append(
        $('<span>').text(describeWrite(node, write)),
        acceptedAt === undefined ? '' : acceptanceTime(acceptedAt),
      ),
      $('<div class="ion-config-outbox-from">').append(from),
      $('<div class="ion-config-outbox-value">').append(
        value === undefined ? '' : $('<code>').text(value),
      ),
      $('<div class="ion-config-outbox-error">').text(`${error.code}: ${error.message}`),
    );
}

function acceptanceTime(ms: number): JQuery {
  return $('<time>').attr('datetime', new Date(ms).toISOString()).text(acceptanceText(ms));
}

function acceptanceText(ms: number): string {
  return `${timeOf(ms)} · ${ageOf(ms)}`;
}

/** The ages of writes in a list that is shown for longer. */
export function renewAges(list: JQuery): void {
  list.find('time').each((_index, element) => {
    const text = acceptanceText(Date.parse(String($(element).attr('datetime'))));
    if ($(element).text() !== text) $(element).text(text);
  });
}

/** The node that the write came from, which the user can see in the flow. */
function senderElements(node: Texts, { sender }: OutboxWrite): JQuery[] {
  if (sender === undefined) return [];
  const found = nodeOfRunning(sender);
  if (!found) {
    return [$('<span>').text(node._('ion-config.outbox.unknownNode', { id: sender }))];
  }
  const id = String(found.id);
  const name = RED.utils.getNodeLabel(found, id);
  const button = $('<button type="button" class="ion-config-outbox-sender">')
    .append('<i class="fa fa-crosshairs" aria-hidden="true"></i> ', $('<span>').text(name))
    .attr('title', node._('ion-config.outbox.showNode', { name }))
    .on('click', () => {
      RED.view.reveal(id);
      // The dialog may cover the node: it stays selected until the dialog is closed.
      RED.view.select(id);
    });
  return [button];
}

/** @param labels catalogue keys by choice */
function buttons(
  node: Texts,
  write: OutboxWrite,
  labels: Partial<Record<Choice, string>>,
  choose: (choice: Choice) => void,
): JQuery {
  const what = describeWrite(node, write);
  const elements = Object.entries(labels).map(([choice, label]) =>
    $('<button type="button" class="red-ui-button red-ui-button-small ion-config-outbox-decide">')
      .addClass(`ion-config-outbox-${choice}`)
      .text(node._(`ion-config.outbox.${label}`))
      .attr('aria-label', node._(`ion-config.outbox.${label}One`, { what }))
      .on('click', () => choose(choice as Choice)),
  );
  return $('<div class="ion-config-outbox-row">').append(elements);
}
