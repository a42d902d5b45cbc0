import { createQueryEditor } from './query-editor.js';
import type { QueryEditor } from './query-editor-contract.js';

/** The query of "Prepare". Its editor is created when its row is shown for the first time. */
export interface Preparation {
  text: string;
  readonly editor: QueryEditor | undefined;
  /** Creates the editor in the visible row. */
  open(): void;
  /** Uses the schema of the present configuration. */
  useSchema(): void;
  resize(): void;
  close(): void;
}

export interface PreparationOptions {
  text: string;
  /** The ID of the running config node, as a query editor expects it. */
  config(): string | undefined;
  onChange(): void;
}

export function preparation({ text, config, onChange }: PreparationOptions): Preparation {
  let editor: QueryEditor | undefined;
  let pending = text;
  const useSchema = () => void editor?.useSchemaOf(config());
  return {
    get editor() {
      return editor;
    },
    get text() {
      return editor?.text ?? pending;
    },
    set text(next) {
      pending = next;
      editor?.replaceText(next);
    },
    open() {
      if (editor) return;
      editor = createQueryEditor({
        id: 'ion-graphql-prepare-editor',
        text: pending,
        onChange,
        // The state is shown beside the editor of the query.
        showSchema: () => {},
      });
      useSchema();
    },
    useSchema,
    resize: () => editor?.resize(),
    close: () => editor?.close(),
  };
}
