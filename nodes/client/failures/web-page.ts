/** Whether a text is a web page, such as gateways, firewalls and captive portals send. */
export function isWebPage(text: string): boolean {
  return titleOf(text) !== undefined || /^\s*<(!doctype|html)/i.test(text);
}

/** The title of a web page; `undefined` for a text without a title. */
export function titleOf(html: string): string | undefined {
  const lower = html.toLowerCase();
  const tag = lower.indexOf('<title');
  const begin = tag < 0 ? -1 : lower.indexOf('>', tag);
  if (begin < 0) return undefined;
  const end = lower.indexOf('<', begin);
  return html.slice(begin + 1, end < 0 ? undefined : end).trim();
}
