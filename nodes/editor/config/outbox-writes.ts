// The list items of the outbox: one for each failing or rejected write.

export interface OutboxWrite {
  sequence: number;
  action: 'field' | 'status' | 'file';
  target: Record<'run' | 'step' | 'field', string | number | null | undefined>;
  filename?: string;
  /** A short text about the value. */
  value?: string;
  error: { code: string; message: string };
}

export interface RejectedWrite extends OutboxWrite {
  /** In ms since 1970. */
  givenUpAt: number;
  /** Missing if nobody has retried it. */
  retries?: number;
}

/** A write that fails again and again while ION responds to other requests. */
export interface FailingWrite extends OutboxWrite {
  tries: number;
  /** In ms since 1970. */
  since: number;
  nextTryAt?: number;
}

export type Decision = 'retry' | 'discard' | 'skip';

/** A rejected write: its target, ION's error, and the buttons that decide on it. */
export function rejectedWriteItem(
  node: EditedNode,
  write: RejectedWrite,
  decide: (decision: Decision) => void,
): JQuery {
  const { givenUpAt, retries: count = 0 } = write;
  const again = count === 0 ? '' : node._('ion-config.outbox.rejectedAgain', { count });
  const labels = { retry: 'retry', discard: 'discard' };
  return listItem(node, write, givenUpAt).append(
    again === '' ? '' : $('<div class="ion-config-outbox-tries">').text(again),
    buttons(node, write, labels, decide),
  );
}

export function failingWriteItem(
  node: EditedNode,
  write: FailingWrite,
  decide: (decision: Decision) => void,
): JQuery {
  const { tries: count, since, nextTryAt } = write;
  const next = nextTryAt === undefined ? '' : timeOf(nextTryAt);
  const key = nextTryAt === undefined ? 'trying' : 'tries';
  const text = node._(`ion-config.outbox.${key}`, { count, since: timeOf(since), next });
  const labels = { retry: 'tryNow', skip: 'skip', discard: 'discard' };
  return listItem(node, write, since).append(
    $('<div class="ion-config-outbox-tries">').text(text),
    buttons(node, write, labels, decide),
  );
}

/** Date and time in the editor's language. */
export function timeOf(ms: number): string {
  return new Date(ms).toLocaleString(RED.i18n.lang());
}

function listItem(node: EditedNode, write: OutboxWrite, at: number): JQuery {
  const { code, message } = write.error;
  const value = write.value === undefined ? '' : $('<code>').text(write.value);
  return $('<li>').append(
    $('<div class="ion-config-outbox-what">').append(
      $('<span>').text(describeWrite(node, write)),
      $('<time>').attr('datetime', new Date(at).toISOString()).text(timeOf(at)),
    ),
    $('<div class="ion-config-outbox-value">').append(value),
    $('<div class="ion-config-outbox-error">').text(`${code}: ${message}`),
  );
}

/** @param labels catalogue keys by decision */
function buttons(
  node: EditedNode,
  write: OutboxWrite,
  labels: Partial<Record<Decision, string>>,
  decide: (decision: Decision) => void,
): JQuery {
  const what = describeWrite(node, write);
  const elements = Object.entries(labels).map(([decision, label]) =>
    $('<button type="button" class="red-ui-button red-ui-button-small ion-config-outbox-decide">')
      .text(node._(`ion-config.outbox.${label}`))
      .attr('aria-label', node._(`ion-config.outbox.${label}One`, { what }))
      .on('click', () => decide(decision as Decision)),
  );
  return $('<div class="ion-config-outbox-row">').append(elements);
}

function describeWrite(node: EditedNode, { action, target, filename = '' }: OutboxWrite): string {
  const targets = (['run', 'step', 'field'] as const).flatMap((part) => {
    const name = target[part] ?? '';
    return name === '' ? [] : [node._(`ion-config.outbox.target.${part}`, { name })];
  });
  return [node._(`ion-config.outbox.action.${action}`, { name: filename }), ...targets].join(' · ');
}
