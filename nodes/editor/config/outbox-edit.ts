// "Edit and retry": the value of a rejected write, or its variables, as JSON in a code editor. It
// takes the place of the list, which may be shown again at any time.
import { parseExactly } from '../../client/support/json.js';
import type { ServerError } from '../shared/admin-request.js';
import type { RejectedWrite } from './outbox-write.js';
import { describeWrite } from './outbox-writes.js';

interface Actions {
  /** Retries the write with another value. @returns the failure */
  retry(write: RejectedWrite, value: unknown): Promise<ServerError | undefined>;
  /** The user leaves the write as it is. */
  cancelled(write: RejectedWrite): void;
}

export interface OutboxEdit {
  /** @param value `undefined` if JSON cannot represent it */
  open(write: RejectedWrite, value: unknown): void;
  /** Shows why the write cannot be edited. */
  refuse(write: RejectedWrite, error: ServerError): void;
  close(): void;
}

const EDITOR = 'ion-config-outbox-editor';
/** Parts of the code editors that Escape closes. */
const WIDGETS = ':is(.suggest-widget, .find-widget, .parameter-hints-widget).visible, .ace_search';

export function prepareOutboxEdit(node: EditedNode, actions: Actions): OutboxEdit {
  const section = $('#ion-config-outbox');
  const panel = $('#ion-config-outbox-edit');
  const problem = $('#ion-config-outbox-edit-problem');
  const retryButton = $('#ion-config-outbox-edit-retry');
  const cancelButton = $('#ion-config-outbox-edit-cancel');
  let edited: RejectedWrite | undefined;
  let editor: CodeEditor | undefined;

  const text = (key: string, values?: Record<string, string>) =>
    node._(`ion-config.outbox.${key}`, values);
  const failed = ({ code, message }: ServerError) => text('failed', { code, message });
  const scrollIntoView = () => {
    RED.tray.resize();
    panel[0]?.scrollIntoView({ block: 'nearest' });
  };
  const showProblem = (problemText: string) => {
    problem.text(problemText);
    scrollIntoView();
  };
  const close = () => {
    editor?.destroy();
    editor = undefined;
    edited = undefined;
    section.removeClass('ion-config-outbox-editing');
  };
  const show = (write: RejectedWrite, problemText: string) => {
    close();
    edited = write;
    const { code, message } = write.error;
    $('#ion-config-outbox-edit-title').text(text('editOne', { what: describeWrite(node, write) }));
    $('#ion-config-outbox-edit-reason').text(`${code}: ${message}`);
    section.addClass('ion-config-outbox-editing');
    showProblem(problemText);
  };
  const showParts = (isEditable: boolean) =>
    panel.find('.ion-config-outbox-edit-part').toggle(isEditable);

  const retry = async () => {
    if (!edited || !editor) return;
    const write = edited;
    let value: unknown;
    try {
      value = parseExactly(editor.getValue());
    } catch (thrown) {
      showProblem(text('notJson', { message: (thrown as Error).message }));
      editor.focus();
      return;
    }
    showProblem('');
    const error = await actions.retry(write, value);
    if (edited !== write) return;
    if (!error) {
      close();
      return;
    }
    showProblem(failed(error));
    editor?.focus();
  };
  const cancel = () => {
    const write = edited;
    close();
    if (write) actions.cancelled(write);
  };
  retryButton.on('click', () => void retry());
  cancelButton.text(RED._('editor:common.label.cancel')).on('click', cancel);
  // Before the code editor, which would keep both keys: Tab leaves it, Escape cancels.
  panel[0]?.addEventListener(
    'keydown',
    (event) => {
      const isEscape = event.key === 'Escape' && !panel.find(WIDGETS).is(':visible');
      if (event.key === 'Tab' || isEscape) event.stopPropagation();
      if (isEscape) cancel();
    },
    { capture: true },
  );

  return {
    open(write, value) {
      show(write, '');
      const hint = write.action === 'graphql' ? 'variablesHint' : 'valueHint';
      $('#ion-config-outbox-edit-hint').text(text(hint));
      showParts(true);
      editor = RED.editor.createEditor({
        id: EDITOR,
        mode: 'ace/mode/json',
        value: value === undefined ? '' : JSON.stringify(value, null, 2),
        minimap: { enabled: false },
        ariaLabel: $('#ion-config-outbox-edit-title').text(),
      });
      editor.focus();
      scrollIntoView();
    },
    refuse(write, error) {
      show(write, failed(error));
      showParts(false);
      cancelButton.trigger('focus');
    },
    close,
  };
}
