// The button that opens a query editor over the whole width and height of the editor, and the tray that
// it opens there. While it is open, the dialog is not in the page.
import type { CreateQueryEditor, QueryEditor } from '../graphql/query-editor-contract.js';
import { expandedTexts } from './expanded-texts.js';
import { type ExpandedView, showExpanded } from './expanded-view.js';
import { OPERATION_KINDS, type OperationKind } from './schema-operations.js';

/** A tray slides in first: a focused part of it would scroll the page. */
const FOCUS_AFTER_MS = 300;

interface ExpandedOptions {
  /** That of the dialog, which knows the loaded bundle. */
  createEditor: CreateQueryEditor;
  editor: QueryEditor;
  /** Without an editor until its row is shown. */
  preparation: { readonly editor: QueryEditor | undefined };
  config(): string | undefined;
  operationName(): string;
  useSchema(): void;
}

interface Expandable {
  title: string;
  kinds: readonly OperationKind[];
  operationName: string;
  editor: QueryEditor;
}

/** Adds the buttons to the query and to "Prepare". */
export function prepareExpanded(node: EditedNode, options: ExpandedOptions): void {
  const texts = expandedTexts();
  const addButton = (place: JQuery, open: () => void) => {
    $('<button type="button" class="red-ui-button red-ui-button-small ion-graphql-expand">')
      .append('<i class="fa fa-expand" aria-hidden="true">')
      .attr({ title: texts.expand, 'aria-label': texts.expand })
      .css('float', 'right')
      .on('click', open)
      .appendTo(place);
  };
  addButton($('.ion-graphql-toolbar'), () =>
    openExpanded(node, options, {
      title: texts.title,
      kinds: OPERATION_KINDS,
      operationName: options.operationName(),
      editor: options.editor,
    }),
  );
  addButton($('#ion-graphql-prepare-label ~ .ion-graphql-beside'), () => {
    const { editor } = options.preparation;
    const title = node._('ion-graphql.label.prepare');
    if (editor) openExpanded(node, options, { title, kinds: ['query'], operationName: '', editor });
  });
}

function openExpanded(node: EditedNode, options: ExpandedOptions, expanded: Expandable): void {
  const { title, kinds, operationName, editor: small } = expanded;
  const testVariables = $('#ion-graphql-test-variables');
  const before = String(testVariables.val() ?? '');
  const config = options.config();
  const cursor = small.code.getCursorPosition();
  let view: ExpandedView | undefined;
  let isLeft = false;
  const leave = (takeOver?: () => void) => {
    // A second click would close the dialog below.
    if (isLeft) return;
    isLeft = true;
    RED.tray.close(() => {
      if (small.isClosed) return;
      takeOver?.();
      if (view?.isRefreshed) options.useSchema();
      focusLater(small);
    });
  };
  const done = () => {
    if (!view) return;
    const { variables, editor } = view;
    const { text } = editor;
    const place = editor.code.getCursorPosition();
    leave(() => {
      if (text !== small.text) small.replaceText(text);
      moveCursor(small.code, place);
      // An input has one line.
      if (variables !== before)
        testVariables.val(variables.replace(/\n\s*/g, ' ')).trigger('input');
    });
  };
  RED.tray.show({
    title,
    width: Number.POSITIVE_INFINITY,
    focusElement: false,
    buttons: [
      // The IDs that Node-RED's keys for both look for.
      {
        id: 'node-dialog-cancel',
        text: RED._('editor:common.label.cancel'),
        click: () => leave(),
      },
      {
        id: 'node-dialog-ok',
        text: RED._('editor:common.label.done'),
        class: 'primary',
        click: done,
      },
    ],
    open(tray) {
      view = showExpanded(tray.find('.red-ui-tray-body'), {
        ...{ node, texts: expandedTexts(), createEditor: options.createEditor, kinds },
        ...{ text: small.text, variables: before, config, operationName },
      });
      moveCursor(view.editor.code, cursor);
    },
    resize: ({ width }) => view?.resize(width),
    show: () => view && focusLater(view.editor, view.element),
    close: () => view?.close(),
  });
}

/** @param unless a part of the page that keeps the focus if the user has put it there by then */
function focusLater(editor: QueryEditor, unless?: JQuery): void {
  window.setTimeout(() => {
    const isChosen = (unless?.find(':focus').length ?? 0) > 0;
    if (!isChosen && !editor.isClosed) editor.code.focus();
  }, FOCUS_AFTER_MS);
}

function moveCursor(code: CodeEditor, { row, column }: CursorPosition): void {
  const lineNumber = row + 1;
  if (code.setPosition) code.setPosition({ lineNumber, column: column + 1 });
  else code.gotoLine(lineNumber, column);
  code.revealLineInCenterIfOutsideViewport?.(lineNumber);
}
