// Completion, hover texts and underlined errors for the query editors, in Monaco.
import { asCode, asMarkdown, shortened } from './foreign-text.js';
import { type GraphQLSchema, language } from './language.js';

const LANGUAGE = 'graphql';
const OWNER = 'ion-graphql';
const CHECK_AFTER_MS = 250;
/** The numbers of completion kinds in the language server protocol. */
const KINDS = { 3: 'Function', 5: 'Field', 6: 'Variable', 7: 'Class', 20: 'EnumMember' } as const;
/** The number of a text with placeholders such as `$1` in the language server protocol. */
const SNIPPET = 2;

interface Assisted {
  schema: GraphQLSchema | undefined;
}

/** The models of open query editors. Models of other nodes' editors are left alone. */
const assisted = new Map<MonacoModel, Assisted>();
let isRegistered = false;

export interface Completion {
  setSchema(schema: GraphQLSchema | undefined): void;
  end(): void;
}

/** Adds completion, hover texts and error markers to a model; `setSchema` gives it the schema. */
export function addCompletion(monaco: Monaco, model: MonacoModel): Completion {
  register(monaco);
  const state: Assisted = { schema: undefined };
  assisted.set(model, state);
  let timer: number | undefined;
  const check = () => {
    if (!model.isDisposed()) showProblems(monaco, model, state);
  };
  model.onDidChangeContent(() => {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, CHECK_AFTER_MS);
  });
  check();
  return {
    setSchema(schema) {
      state.schema = schema;
      check();
    },
    end() {
      window.clearTimeout(timer);
      assisted.delete(model);
    },
  };
}

/** Registers the providers once for the page: they belong to a language, not to an editor. */
function register(monaco: Monaco): void {
  if (isRegistered) return;
  isRegistered = true;
  monaco.languages.registerCompletionItemProvider(LANGUAGE, {
    // Not after a brace or a space: Enter would accept a suggestion instead of starting a line.
    triggerCharacters: ['$', '@', ':', '.'],
    provideCompletionItems: (model, position) => ({
      suggestions: suggestions(monaco, model, position),
    }),
  });
  monaco.languages.registerHoverProvider(LANGUAGE, { provideHover: hover });
}

function suggestions(
  monaco: Monaco,
  model: MonacoModel,
  position: MonacoPosition,
): MonacoSuggestion[] {
  const { schema } = assisted.get(model) ?? {};
  if (!schema) return [];
  const word = model.getWordUntilPosition(position);
  const line = model.getLineContent(position.lineNumber);
  const { CompletionItemKind, CompletionItemInsertTextRule } = monaco.languages;
  const found = language.suggestions(
    schema,
    model.getValue(),
    position.lineNumber - 1,
    position.column - 1,
  );
  return found.map((suggestion, index) => {
    const { label, kind, detail, documentation } = suggestion;
    const isVariable = label.startsWith('$');
    // Monaco's words do not begin with the "$" of a variable.
    const isSigned = isVariable && line[word.startColumn - 2] === '$';
    const isSnippet = suggestion.insertTextFormat === SNIPPET;
    return {
      label,
      // The language service leaves out a "$" that is typed already; the range includes it.
      insertText: isVariable ? label : compact(suggestion.insertText ?? label),
      ...(isSnippet && { insertTextRules: CompletionItemInsertTextRule.InsertAsSnippet }),
      kind: CompletionItemKind[KINDS[kind as keyof typeof KINDS] ?? 'Keyword'],
      detail: shortened(detail ?? ''),
      // A string is shown as text, not as Markdown.
      documentation: typeof documentation === 'string' ? shortened(documentation) : '',
      range: {
        startLineNumber: position.lineNumber,
        endLineNumber: position.lineNumber,
        startColumn: isSigned ? word.startColumn - 1 : word.startColumn,
        endColumn: word.endColumn,
      },
      // The language service puts the best match first.
      sortText: String(index).padStart(5, '0'),
    };
  });
}

/** A snippet with one space before its brace; Monaco replaces the tab by the indentation of the query. */
function compact(snippet: string): string {
  return snippet.replaceAll('  {', ' {').replaceAll('\n   ', '\n\t').replace('[ {', '[{');
}

function hover(
  model: MonacoModel,
  { lineNumber, column }: MonacoPosition,
): { contents: { value: string }[] } | undefined {
  const { schema } = assisted.get(model) ?? {};
  if (!schema) return undefined;
  const { code, description } = language.hover(schema, model.getValue(), lineNumber - 1, column);
  if (code === '') return undefined;
  const contents = [{ value: asCode(code) }];
  if (description !== '') contents.push({ value: asMarkdown(description) });
  return { contents };
}

function showProblems(monaco: Monaco, model: MonacoModel, { schema }: Assisted): void {
  const { MarkerSeverity } = monaco;
  const text = model.getValue();
  const problems = text.trim() === '' ? [] : language.diagnostics(text, schema);
  const markers = problems.map(({ message, severity, range }) => ({
    message: shortened(typeof message === 'string' ? message : message.value),
    severity: severity === 1 ? MarkerSeverity.Error : MarkerSeverity.Warning,
    startLineNumber: range.start.line + 1,
    startColumn: range.start.character + 1,
    endLineNumber: range.end.line + 1,
    endColumn: range.end.character + 1,
  }));
  monaco.editor.setModelMarkers(model, OWNER, markers);
}
