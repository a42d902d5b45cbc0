import { loadSchema, type ServerError } from '../shared/schema.js';
import type { GraphqlLanguage } from './bundle.js';
import { addCompletion, type Completion } from './completion.js';
import { loadLanguage } from './language.js';

export interface QueryEditor {
  readonly text: string;
  setText(text: string): void;
  /** Uses the schema of a config node's environment from now on; `undefined`: none runs. */
  useSchemaOf(config: string | undefined, options?: { refresh?: boolean }): Promise<void>;
  format(): Promise<void>;
  resize(): void;
  close(): void;
}

export interface QueryEditorOptions {
  id: string;
  text: string;
  /** Shows a text about the schema, by its key in the node's catalogue. */
  showSchema(key: string, values?: Record<string, string | number>): void;
}

/** A code editor for GraphQL that knows the schema, as far as Node-RED's own editor allows it. */
export function createQueryEditor({ id, text, showSchema }: QueryEditorOptions): QueryEditor {
  const editor = RED.editor.createEditor({ id, mode: 'ace/mode/graphql', value: text });
  const loading = loadLanguage();
  let assistance: Completion | undefined;
  let isClosed = false;

  const ready: Promise<GraphqlLanguage> = loading.then((language) => {
    const model = editor.getModel?.();
    if (window.monaco && model && !isClosed)
      assistance = addCompletion(window.monaco, model, language);
    return language;
  });
  // Without the bundle the text can be edited all the same.
  ready.catch(() => showSchema('noLanguage'));
  let asked = 0;

  return {
    get text() {
      return editor.getValue();
    },
    setText: (next) => editor.setValue(next),
    async useSchemaOf(config, options) {
      const turn = ++asked;
      assistance?.setSchema(undefined);
      if (!config) {
        showSchema(config === undefined ? 'noInstance' : 'noConfig');
        return;
      }
      showSchema('loading');
      try {
        const [language, introspection] = await Promise.all([ready, loadSchema(config, options)]);
        // Another config node may have been chosen meanwhile.
        if (turn !== asked || isClosed) return;
        assistance?.setSchema(language.buildSchema(introspection));
        showSchema('loaded', { count: introspection.__schema.types.length });
      } catch (failure) {
        const { message = String(failure) } = failure as Partial<ServerError>;
        if (turn === asked) showSchema('failed', { message });
      }
    },
    async format() {
      const language = await ready;
      editor.setValue(await language.format(editor.getValue()));
    },
    resize: () => editor.resize(),
    close() {
      isClosed = true;
      assistance?.end();
      editor.destroy();
    },
  };
}
