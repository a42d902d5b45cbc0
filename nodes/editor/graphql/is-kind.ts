// The operations of a document, without a parser: the editor checks all nodes when it starts.

interface NamedOperation {
  kind: string;
  /** Empty for an operation without a name. */
  name: string;
}

/** The end of a text is optional, because it may still be missing. */
const TEXTS_AND_COMMENTS = /"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*/g;
const OPENING = ['{', '('];

/** Whether the operation that would run is known, and is of this kind. */
export function isKind(kind: 'query' | 'mutation', text: string, operationName: string): boolean {
  const candidates = operationsIn(text).filter(
    ({ name }) => operationName === '' || name === operationName,
  );
  return candidates.length > 0 && candidates.every((each) => each.kind === kind);
}

function operationsIn(text: string): NamedOperation[] {
  const tokens = text.replace(TEXTS_AND_COMMENTS, ' ').match(/[{}()]|\w+/g) ?? [];
  const found: NamedOperation[] = [];
  let depth = 0;
  let isInDefinition = false;
  tokens.forEach((token, index) => {
    if (OPENING.includes(token)) {
      if (!isInDefinition) found.push({ kind: 'query', name: '' });
      isInDefinition = true;
      depth++;
    } else if (token === '}' || token === ')') {
      depth--;
      if (token === '}' && depth === 0) isInDefinition = false;
    } else if (!isInDefinition) {
      isInDefinition = true;
      const next = tokens[index + 1] ?? '';
      if (token !== 'fragment') found.push({ kind: token, name: /\w/.test(next) ? next : '' });
    }
  });
  return found;
}
