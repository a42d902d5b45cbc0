// The outbox of a deployed config node: pending writes, failing writes, and rejected writes with the
// buttons that decide on them.
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { confirm } from '../shared/confirm.js';
import { latestRequest } from '../shared/latest-request.js';
import { prepareOutboxEdit } from './outbox-edit.js';
import type { Choice, Decision, FailingWrite, OutboxWrite, RejectedWrite } from './outbox-write.js';
import { failingWriteItem, rejectedWriteItem, timeOf } from './outbox-writes.js';

/** The state as the admin route reports it. */
interface OutboxState {
  /** The writes are those of a dry run. */
  dryRun?: true;
  waiting: number;
  /** The number of rejected writes. */
  givenUp: number;
  /** In ms since 1970. */
  unreachableSince?: number;
  /** In ms since 1970; missing while an attempt is under way. */
  nextTryAt?: number;
  reason?: string;
  /** The reason is that nothing answers. */
  isOutage?: boolean;
  /** The reason why this machine cannot have an outbox. */
  problem?: string;
  failing?: FailingWrite[];
  /** The oldest rejected writes. */
  refused: RejectedWrite[];
}

/** Delays after a decision: the writes are delivered, or rejected again, soon after it. */
const READ_AGAIN_MS = [500, 1000, 2000, 4000, 8000];

interface DecisionRequest {
  decision: Decision;
  sequences: number[] | 'all';
  /** For the retry of one write: its corrected value, or variables. */
  value?: unknown;
}

interface WriteActions {
  decide(decision: Decision, write: OutboxWrite): void;
  edit(write: RejectedWrite): void;
}

export interface OutboxSection {
  /** Ends a request in flight, and an edit. */
  cancel(): void;
  /** Shows the outbox of another config node. */
  reload(): void;
}

/**
 * Reads the state and prepares the buttons.
 * @param idOf the ID of the running config node; empty if none runs
 */
export function prepareOutbox(node: EditedNode, idOf: () => string): OutboxSection {
  const section = $('#ion-config-outbox');
  const refresh = $('#ion-config-outbox-refresh');
  const mayDecide = RED.user.hasPermission('ion-config.write');
  const requests = latestRequest();
  const reads = latestRequest();
  let shown: OutboxState | undefined;

  const text = (key: string) => node._(`ion-config.outbox.${key}`);
  const enableButtons = (isEnabled: boolean) => {
    refresh.prop('disabled', !isEnabled);
    section.find('.ion-config-outbox-decide').prop('disabled', !(isEnabled && mayDecide));
  };
  const show = (state: OutboxState) => {
    const { givenUp, failing = [], unreachableSince } = state;
    const needsAttention = givenUp > 0 || failing.length > 0 || unreachableSince !== undefined;
    if (!shown && needsAttention) section.prop('open', true);
    shown = state;
    showState(node, state);
    showWrites(node, state, {
      decide: (decision, { sequence }) => void decide({ decision, sequences: [sequence] }, 1),
      edit: (write) => void openEdit(write),
    });
  };

  const url = () => `ion-config/${encodeURIComponent(idOf())}/outbox`;
  const request = (signal: AbortSignal, body?: DecisionRequest) =>
    adminRequest<OutboxState>({
      url: url(),
      ...(body && { method: 'POST', body }),
      signal,
    });
  const hasLostFocus = () => !document.activeElement?.closest('.red-ui-tray');

  const send = async (
    body?: DecisionRequest,
    report = (error: ServerError) => showError(node, error),
  ) => {
    const signal = requests.start();
    const wasRefresh = refresh.is(':focus');
    if (idOf() === '') {
      $('#ion-config-outbox-state').text(text('noInstance'));
      return;
    }
    enableButtons(false);
    try {
      const state = await request(signal, body);
      if (signal.aborted) return;
      show(state);
      if (body) void readAgain(signal);
    } catch (thrown) {
      if (!signal.aborted) report(thrown as ServerError);
    } finally {
      if (!signal.aborted) {
        enableButtons(true);
        RED.tray.resize();
        // A button that is disabled or removed loses the focus.
        if (hasLostFocus() && (body || wasRefresh)) refresh.trigger('focus');
      }
    }
  };
  /** Reads the state until nothing is pending, without disabling the buttons. */
  const readAgain = async (signal: AbortSignal) => {
    for (const delayMs of READ_AGAIN_MS) {
      if (shown?.waiting === 0) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (signal.aborted) return;
      const state = await request(signal).catch(() => undefined);
      if (signal.aborted || !state) return;
      if (JSON.stringify(state) === JSON.stringify(shown)) continue;
      const hadFocus = section[0]?.contains(document.activeElement);
      show(state);
      enableButtons(true);
      RED.tray.resize();
      if (hadFocus && hasLostFocus()) refresh.trigger('focus');
    }
  };
  const openEdit = async (write: RejectedWrite) => {
    const signal = reads.start();
    try {
      const read = { url: `${url()}/${write.sequence}`, signal };
      const { value } = await adminRequest<{ value?: unknown }>(read);
      if (!signal.aborted) edit.open(write, value);
    } catch (thrown) {
      if (!signal.aborted) edit.refuse(write, thrown as ServerError);
    }
  };
  const edit = prepareOutboxEdit(node, {
    async retry({ sequence }, value) {
      let failure: ServerError | undefined;
      await send({ decision: 'retry', sequences: [sequence], value }, (error) => {
        failure = error;
      });
      return failure;
    },
    async cancelled({ sequence }) {
      // Somebody else may have decided on it.
      await send();
      const button = section.find(`[data-sequence="${sequence}"] .ion-config-outbox-edit`);
      (button.length > 0 ? button : refresh).trigger('focus');
    },
  });
  const decide = async (request: DecisionRequest, count: number) => {
    if (request.decision === 'discard' && !(await isDiscardConfirmed(node, count))) return;
    await send(request);
  };
  const decideOnAll = (decision: Decision, { givenUp, refused }: OutboxState) => {
    // If all are listed, only these are meant: a write that was rejected later has not been seen.
    const areListed = givenUp <= refused.length;
    const sequences = areListed ? refused.map(({ sequence }) => sequence) : 'all';
    return decide({ decision, sequences }, areListed ? refused.length : givenUp);
  };

  $('#ion-config-outbox-not-permitted').toggle(!mayDecide);
  refresh.on('click', () => void send());
  for (const decision of ['retry', 'discard'] as const) {
    $(`#ion-config-outbox-${decision}-all`).on('click', () => {
      if (shown) void decideOnAll(decision, shown);
    });
  }
  section.on('toggle', () => RED.tray.resize());
  $('#ion-config-outbox-state').text(text('loading'));
  $('#ion-config-outbox-failing, #ion-config-outbox-rejected').hide();
  void send();
  return {
    cancel() {
      requests.cancel();
      reads.cancel();
      edit.close();
    },
    reload() {
      reads.cancel();
      edit.close();
      shown = undefined;
      $('#ion-config-outbox-rejected, #ion-config-outbox-outage').hide();
      $('#ion-config-outbox-counts').text('');
      void send();
    },
  };
}

function showState(node: EditedNode, state: OutboxState): void {
  const { waiting, givenUp, problem, dryRun } = state;
  const isEmpty = waiting === 0 && givenUp === 0;
  const counts = node._('ion-config.outbox.counts', { pending: waiting, rejected: givenUp });
  $('#ion-config-outbox-counts').text(isEmpty ? '' : `· ${counts}`);
  const outage = describeOutage(node, state);
  const line = problem ?? (isEmpty ? node._('ion-config.outbox.empty') : counts);
  const shown = dryRun ? node._('ion-config.outbox.dryRun', { state: line }) : line;
  $('#ion-config-outbox-state').removeClass('ion-config-test-bad').text(shown);
  $('#ion-config-outbox-outage')
    .toggle(outage !== '')
    .text(outage);
}

/** Empty if there is no outage. */
function describeOutage(
  node: EditedNode,
  { unreachableSince, nextTryAt, reason = '', isOutage }: OutboxState,
): string {
  if (unreachableSince === undefined) return '';
  const key = isOutage ? 'unreachable' : 'waiting';
  const text = node._(`ion-config.outbox.${key}`, { since: timeOf(unreachableSince), reason });
  const next =
    nextTryAt === undefined
      ? node._('ion-config.outbox.tryingNow')
      : node._('ion-config.outbox.nextTry', { next: timeOf(nextTryAt) });
  return `${text} ${next}`;
}

function showWrites(
  node: EditedNode,
  { failing = [], refused, givenUp }: OutboxState,
  { decide, edit }: WriteActions,
): void {
  const failingItems = failing.map((write) =>
    failingWriteItem(node, write, (decision) => decide(decision, write)),
  );
  $('#ion-config-outbox-failing').toggle(failing.length > 0);
  $('#ion-config-outbox-failing-writes').empty().append(failingItems);
  const rejectedItems = refused.map((write) =>
    rejectedWriteItem(node, write, (choice: Choice) => {
      if (choice === 'edit') edit(write);
      else decide(choice, write);
    }),
  );
  $('#ion-config-outbox-rejected').toggle(givenUp > 0);
  $('#ion-config-outbox-rejected-writes').empty().append(rejectedItems);
  $('#ion-config-outbox-more')
    .toggle(givenUp > refused.length)
    .text(node._('ion-config.outbox.more', { count: refused.length }));
}

function showError(node: EditedNode, { code, message, isDeployed }: ServerError): void {
  const isMissing = isDeployed === false;
  const isForbidden = code === 'HTTP 401' || code === 'HTTP 403';
  const key = isMissing ? 'notDeployed' : isForbidden ? 'notPermitted' : 'failed';
  $('#ion-config-outbox-state')
    .toggleClass('ion-config-test-bad', !isMissing)
    .text(node._(`ion-config.outbox.${key}`, { code, message }));
}

function isDiscardConfirmed(node: EditedNode, count: number): Promise<boolean> {
  return confirm({
    text: node._('ion-config.outbox.confirm', { count }),
    yes: node._('ion-config.outbox.confirmed'),
  });
}
