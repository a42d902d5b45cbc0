import { isLoopback } from '../support/is-loopback.js';
import { withoutTrailingSlashes } from '../support/paths.js';

/**
 * Whether a URL leaves out the root below which Node-RED takes requests for nodes, so that an
 * address made of it leads there only if a proxy adds the root.
 */
export function lacksRoot(publicUrl: string, root: string | false | undefined): boolean {
  const wanted = withoutTrailingSlashes(root || '');
  if (wanted === '' || !URL.canParse(publicUrl)) return false;
  const path = `${withoutTrailingSlashes(new URL(publicUrl).pathname)}/`;
  return !path.endsWith(`${wanted}/`);
}

/** Whether a URL leads to the machine that uses it. */
export function isThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}
