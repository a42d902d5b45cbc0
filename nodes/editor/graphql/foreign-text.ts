// Texts of a schema come from outside: the code editor shows them literally.

/** In characters. A longer text is cut, because a tooltip cannot be scrolled well. */
const MAX_LENGTH = 2000;

/** Characters with a meaning in Markdown; a backslash before one makes it literal. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

export function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** Markdown that shows a text literally: without images, links, tags or blocks of code. */
export function asMarkdown(text: string): string {
  const lines = shortened(text).split(/\r\n|[\n\r]/);
  // Two trailing blanks keep a line break; leading blanks could start a block of code.
  return lines.map((line) => line.trim().replace(PUNCTUATION, '\\$&')).join('  \n');
}

/** Markdown of a line of GraphQL, with syntax colors. */
export function asCode(line: string): string {
  return `\`\`\`graphql\n${shortened(line).replace(/[`\r\n]/g, '')}\n\`\`\``;
}
