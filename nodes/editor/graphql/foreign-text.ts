// Texts of a schema, which somebody else wrote: the code editor shows them literally.

/** In characters; a longer text is cut, because nobody scrolls through a tooltip. */
const MAX_LENGTH = 2000;

/** Characters with a meaning in Markdown; a backslash before one makes it literal. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

export function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** Markdown that shows a text: no image is loaded, nothing becomes a link, a tag or a block of code. */
export function asMarkdown(text: string): string {
  const lines = shortened(text).split(/\r\n|[\n\r]/);
  // Two blanks keep the end of a line; those at its beginning could make it code.
  return lines.map((line) => line.trim().replace(PUNCTUATION, '\\$&')).join('  \n');
}

/** Markdown of a line of GraphQL, in colours. */
export function asCode(line: string): string {
  return `\`\`\`graphql\n${shortened(line).replace(/[`\r\n]/g, '')}\n\`\`\``;
}
