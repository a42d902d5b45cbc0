// The contract of a query editor, without its code: the bundle that the editor loads uses it as well.
import type { GraphQLSchema } from './language.js';

export interface QueryEditor {
  readonly code: CodeEditor;
  readonly text: string;
  readonly isClosed: boolean;
  /** Replaces the whole text in one step, which undo takes back, and shows its start. */
  replaceText(text: string): void;
  /**
   * Uses the schema of a config node's environment.
   * @param config the ID of the running config node: empty if none is chosen, `undefined` if none runs
   */
  useSchemaOf(config: string | undefined, options?: { refresh?: boolean }): Promise<void>;
  format(): Promise<void>;
  resize(): void;
  close(): void;
}

export interface QueryEditorOptions {
  id: string;
  text: string;
  onChange(): void;
  /** Shows the state of the schema. The key is one of the node's catalogue. */
  showSchema(key: string, values?: Record<string, string | number>): void;
  /** Gets the schema when it is loaded. */
  onSchema?(schema: GraphQLSchema): void;
}

export type CreateQueryEditor = (options: QueryEditorOptions) => QueryEditor;
