// The outbox of a deployed config node: what waits, and what ION refuses and somebody decides on.
import { request, type ServerError } from '../shared/schema.js';

interface ShownWrite {
  sequence: number;
  action: 'field' | 'status' | 'file';
  target: Record<'run' | 'step' | 'field', string | number | null | undefined>;
  filename?: string;
  error: { code: string; message: string };
}

interface Refused extends ShownWrite {
  /** In ms since 1970. */
  givenUpAt: number;
}

/** One that fails again and again while ION answers. */
interface Failing extends ShownWrite {
  tries: number;
  /** In ms since 1970. */
  since: number;
  nextTryAt?: number;
}

interface OutboxState {
  waiting: number;
  givenUp: number;
  /** In ms since 1970. */
  unreachableSince?: number;
  reason?: string;
  /** Why this machine can have no outbox. */
  problem?: string;
  failing?: Failing[];
  /** The oldest of those that were given up. */
  refused: Refused[];
}

type Decision = 'retry' | 'discard' | 'skip';

/**
 * Reads the state and connects the buttons; gives back what ends a request under way.
 * @param idOf the id of the running config node; empty if none runs
 */
export function prepareOutbox(
  node: EditedNode,
  idOf: () => string,
): { end(): void; reload(): void } {
  const section = $('#ion-config-outbox');
  const refresh = $('#ion-config-outbox-refresh');
  const mayDecide = RED.user.hasPermission('ion-config.write');
  let shown: OutboxState | undefined;
  let running: AbortController | undefined;

  const text = (key: string, values?: Record<string, string | number>) =>
    node._(`ion-config.outbox.${key}`, values);
  const enableButtons = (isEnabled: boolean) => {
    refresh.prop('disabled', !isEnabled);
    section.find('.ion-config-outbox-decide').prop('disabled', !(isEnabled && mayDecide));
  };
  const show = (state: OutboxState) => {
    const { refused, failing = [], givenUp, unreachableSince } = state;
    // Somebody has something to see to.
    const isTrouble = givenUp > 0 || failing.length > 0 || unreachableSince !== undefined;
    if (!shown && isTrouble) section.prop('open', true);
    shown = state;
    sayState(node, state);
    $('#ion-config-outbox-failing').toggle(failing.length > 0);
    $('#ion-config-outbox-failing-writes')
      .empty()
      .append(
        failing.map((entry) => failingRow(node, entry, (decision) => decide(decision, [entry]))),
      );
    $('#ion-config-outbox-given-up').toggle(givenUp > 0);
    $('#ion-config-outbox-more')
      .toggle(givenUp > refused.length)
      .text(text('more', { count: refused.length }));
    $('#ion-config-outbox-refused')
      .empty()
      .append(refused.map((entry) => row(node, entry, (decision) => decide(decision, [entry]))));
  };

  const ask = async (body?: { decision: Decision; sequences: number[] | 'all' }) => {
    running?.abort();
    const current = new AbortController();
    running = current;
    const wasRefresh = refresh.is(':focus');
    if (idOf() === '') {
      $('#ion-config-outbox-state').text(text('noInstance'));
      return;
    }
    enableButtons(false);
    try {
      const state = await request<OutboxState>({
        url: `ion-config/${encodeURIComponent(idOf())}/outbox`,
        ...(body && { method: 'POST', body }),
        signal: current.signal,
      });
      if (running === current) show(state);
    } catch (thrown) {
      if (running === current) sayFailure(node, thrown as ServerError);
    } finally {
      if (running === current) {
        running = undefined;
        enableButtons(true);
        RED.tray.resize();
        // A button that is disabled or gone loses the focus.
        const hasLostFocus = !document.activeElement?.closest('.red-ui-tray');
        if (hasLostFocus && (body || wasRefresh)) refresh.trigger('focus');
      }
    }
  };
  const decide = async (decision: Decision, entries: ShownWrite[]) => {
    // What was given up meanwhile is not decided on, because nobody has seen it.
    const isAll = entries === shown?.refused && shown.givenUp > entries.length;
    const count = isAll ? (shown?.givenUp ?? 0) : entries.length;
    if (decision === 'discard' && !(await isConfirmed(node, count))) return;
    await ask({ decision, sequences: isAll ? 'all' : entries.map(({ sequence }) => sequence) });
  };

  $('#ion-config-outbox-not-permitted').toggle(!mayDecide);
  refresh.on('click', () => void ask());
  for (const decision of ['retry', 'discard'] as const) {
    $(`#ion-config-outbox-${decision}-all`).on('click', () => {
      if (shown) void decide(decision, shown.refused);
    });
  }
  section.on('toggle', () => RED.tray.resize());
  $('#ion-config-outbox-state').text(text('loading'));
  $('#ion-config-outbox-failing, #ion-config-outbox-given-up').hide();
  void ask();
  return {
    end() {
      running?.abort();
      running = undefined;
    },
    reload() {
      shown = undefined;
      $('#ion-config-outbox-given-up, #ion-config-outbox-outage').hide();
      $('#ion-config-outbox-counts').text('');
      void ask();
    },
  };
}

function sayState(node: EditedNode, state: OutboxState): void {
  const { waiting, givenUp, unreachableSince, reason = '', problem } = state;
  const isEmpty = waiting === 0 && givenUp === 0;
  const counts = node._('ion-config.outbox.counts', { pending: waiting, rejected: givenUp });
  $('#ion-config-outbox-counts').text(isEmpty ? '' : `· ${counts}`);
  const outage =
    unreachableSince === undefined
      ? ''
      : node._('ion-config.outbox.unreachable', { since: timeOf(unreachableSince), reason });
  const line = problem ?? (isEmpty ? node._('ion-config.outbox.empty') : counts);
  $('#ion-config-outbox-state').removeClass('ion-config-test-bad').text(line);
  $('#ion-config-outbox-outage')
    .toggle(outage !== '')
    .text(outage);
}

function sayFailure(node: EditedNode, { code, message }: ServerError): void {
  const isMissing = code === 'ION_NOT_FOUND';
  const isForbidden = code === 'HTTP 401' || code === 'HTTP 403';
  const key = isMissing ? 'notDeployed' : isForbidden ? 'notPermitted' : 'failed';
  $('#ion-config-outbox-state')
    .toggleClass('ion-config-test-bad', !isMissing)
    .text(node._(`ion-config.outbox.${key}`, { code, message }));
}

/** One write that was given up: what it was for, what ION says, and what can be done with it. */
function row(node: EditedNode, entry: Refused, decide: (decision: Decision) => void): JQuery {
  return listItem(node, entry, entry.givenUpAt).append(
    buttons(node, entry, { retry: 'retry', discard: 'discard' }, decide),
  );
}

function failingRow(
  node: EditedNode,
  entry: Failing,
  decide: (decision: Decision) => void,
): JQuery {
  const { tries: count, since, nextTryAt } = entry;
  const next = nextTryAt === undefined ? '' : timeOf(nextTryAt);
  const key = nextTryAt === undefined ? 'trying' : 'tries';
  const text = node._(`ion-config.outbox.${key}`, { count, since: timeOf(since), next });
  return listItem(node, entry, since).append(
    $('<div class="ion-config-outbox-tries">').text(text),
    buttons(node, entry, { retry: 'tryNow', skip: 'skip', discard: 'discard' }, decide),
  );
}

function listItem(node: EditedNode, entry: ShownWrite, at: number): JQuery {
  const { code, message } = entry.error;
  return $('<li>').append(
    $('<div class="ion-config-outbox-what">').append(
      $('<span>').text(describe(node, entry)),
      $('<time>').attr('datetime', new Date(at).toISOString()).text(timeOf(at)),
    ),
    $('<div class="ion-config-outbox-error">').text(`${code}: ${message}`),
  );
}

/** @param labels catalogue keys by decision */
function buttons(
  node: EditedNode,
  entry: ShownWrite,
  labels: Partial<Record<Decision, string>>,
  decide: (decision: Decision) => void,
): JQuery {
  const what = describe(node, entry);
  const each = Object.entries(labels).map(([decision, label]) =>
    $('<button type="button" class="red-ui-button red-ui-button-small ion-config-outbox-decide">')
      .text(node._(`ion-config.outbox.${label}`))
      .attr('aria-label', node._(`ion-config.outbox.${label}One`, { what }))
      .on('click', () => decide(decision as Decision)),
  );
  return $('<div class="ion-config-outbox-row">').append(each);
}

function describe(node: EditedNode, { action, target, filename = '' }: ShownWrite): string {
  const places = (['run', 'step', 'field'] as const).flatMap((part) => {
    const name = target[part] ?? '';
    return name === '' ? [] : [node._(`ion-config.outbox.target.${part}`, { name })];
  });
  return [node._(`ion-config.outbox.action.${action}`, { name: filename }), ...places].join(' · ');
}

/** Date and time in the editor's language. */
function timeOf(ms: number): string {
  return new Date(ms).toLocaleString(RED.i18n.lang());
}

function isConfirmed(node: EditedNode, count: number): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (isYes: boolean) => () => {
      notification.close();
      resolve(isYes);
    };
    const notification = RED.notify($('<p>').text(node._('ion-config.outbox.confirm', { count })), {
      type: 'warning',
      modal: true,
      fixed: true,
      buttons: [
        { text: node._('node-red:common.label.cancel'), click: answer(false) },
        { text: node._('ion-config.outbox.confirmed'), class: 'primary', click: answer(true) },
      ],
    });
  });
}
