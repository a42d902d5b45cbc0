import type { ServerError } from '../shared/admin-request.js';
import { latestRequest } from '../shared/latest-request.js';
import type { GraphqlLanguage } from './bundle.js';
import type { Completion } from './completion.js';
import { loadLanguage } from './load-language.js';
import type { QueryEditor, QueryEditorOptions } from './query-editor-contract.js';

/** A code editor for GraphQL that knows the schema, as far as Node-RED's own editor allows it. */
export function createQueryEditor(options: QueryEditorOptions): QueryEditor {
  const { id, text, onChange, showSchema, onSchema } = options;
  const editor = RED.editor.createEditor({
    id,
    mode: 'ace/mode/graphql',
    value: text,
    minimap: { enabled: false },
    // Enter starts a new line behind a name that is complete.
    acceptSuggestionOnEnter: 'smart',
  });
  editor.on('change', onChange);
  const requests = latestRequest();
  let completion: Completion | undefined;
  let isClosed = false;

  const ready: Promise<GraphqlLanguage> = loadLanguage().then((language) => {
    const model = editor.getModel?.();
    if (window.monaco && model && !isClosed) {
      completion = language.addCompletion(window.monaco, model);
    }
    return language;
  });
  // Without the bundle the text can still be edited.
  ready.catch(() => showSchema('noLanguage'));

  return {
    code: editor,
    get text() {
      return editor.getValue();
    },
    get isClosed() {
      return isClosed;
    },
    replaceText(next) {
      replaceText(editor, next);
      editor.setPosition?.({ lineNumber: 1, column: 1 });
      editor.setScrollPosition?.({ scrollTop: 0, scrollLeft: 0 });
    },
    async useSchemaOf(config, options) {
      const signal = requests.start();
      completion?.setSchema(undefined);
      if (!config) {
        showSchema(config === undefined ? 'noInstance' : 'noConfig');
        return;
      }
      showSchema('loading');
      try {
        const language = await ready;
        const introspection = await language.loadSchema(config, options);
        if (signal.aborted) return;
        const schema = language.buildSchema(introspection);
        completion?.setSchema(schema);
        onSchema?.(schema);
        showSchema('loaded', { count: introspection.__schema.types.length });
      } catch (failure) {
        const { message = String(failure) } = failure as Partial<ServerError>;
        if (!signal.aborted) showSchema('failed', { message });
      }
    },
    async format() {
      const language = await ready;
      const formatted = await language.format(editor.getValue());
      if (!isClosed) replaceText(editor, formatted);
    },
    resize: () => editor.resize(),
    close() {
      isClosed = true;
      requests.cancel();
      completion?.end();
      editor.destroy();
    },
  };
}

/** Monaco's own `setValue` empties its undo stack; that of the older code editor does not. */
function replaceText(editor: CodeEditor, text: string): void {
  const range = editor.getModel?.().getFullModelRange();
  if (!range || !editor.executeEdits || !editor.pushUndoStop) {
    editor.setValue(text, -1);
    return;
  }
  editor.pushUndoStop();
  editor.executeEdits('ion-graphql', [{ range, text }]);
  editor.pushUndoStop();
}
