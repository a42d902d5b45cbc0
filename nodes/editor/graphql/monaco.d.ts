// The used part of Monaco, which comes with Node-RED. Monaco's own types are a package of many
// megabytes.

interface MonacoPosition {
  lineNumber: number;
  column: number;
}

interface MonacoRange {
  startLineNumber: number;
  startColumn: number;
  endLineNumber: number;
  endColumn: number;
}

interface MonacoModel {
  getValue(): string;
  getFullModelRange(): MonacoRange;
  getLineContent(line: number): string;
  getWordUntilPosition(position: MonacoPosition): { startColumn: number; endColumn: number };
  onDidChangeContent(listener: () => void): void;
  isDisposed(): boolean;
}

interface MonacoSuggestion {
  label: string;
  insertText: string;
  insertTextRules?: number;
  kind: number;
  detail?: string;
  documentation?: string;
  range: MonacoRange;
  sortText?: string;
}

interface MonacoMarker extends MonacoRange {
  message: string;
  severity: number;
}

interface Monaco {
  MarkerSeverity: { Error: number; Warning: number; Info: number };
  languages: {
    CompletionItemKind: Record<
      'Field' | 'EnumMember' | 'Variable' | 'Class' | 'Function' | 'Keyword',
      number
    >;
    CompletionItemInsertTextRule: { InsertAsSnippet: number };
    registerCompletionItemProvider(
      language: string,
      provider: {
        triggerCharacters: string[];
        provideCompletionItems(
          model: MonacoModel,
          position: MonacoPosition,
        ): { suggestions: MonacoSuggestion[] };
      },
    ): void;
    registerHoverProvider(
      language: string,
      provider: {
        provideHover(
          model: MonacoModel,
          position: MonacoPosition,
        ): { contents: { value: string }[] } | undefined;
      },
    ): void;
  };
  editor: { setModelMarkers(model: MonacoModel, owner: string, markers: MonacoMarker[]): void };
}

interface Window {
  /** Missing if Node-RED is configured for another code editor. */
  monaco?: Monaco;
}

interface CodeEditor {
  // Only in Monaco.
  getModel?(): MonacoModel;
  executeEdits?(source: string, edits: { range: MonacoRange; text: string }[]): void;
  pushUndoStop?(): void;
  setPosition?(position: MonacoPosition): void;
  revealLineInCenterIfOutsideViewport?(line: number): void;
  setScrollPosition?(position: { scrollTop: number; scrollLeft: number }): void;
}
