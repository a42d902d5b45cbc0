import { isLoopback } from '../support/is-loopback.js';
import { withoutTrailingSlashes } from '../support/paths.js';

const MAX_SHOWN_URL = 200;

/**
 * Whether a public URL lacks the path of Node-RED's `httpNodeRoot`, so that the webhook's URL works
 * only if a proxy adds the root.
 */
export function lacksRoot(publicUrl: string, root: string | false | undefined): boolean {
  const rootPath = withoutTrailingSlashes(root || '');
  if (rootPath === '' || !URL.canParse(publicUrl)) return false;
  const path = `${withoutTrailingSlashes(new URL(publicUrl).pathname)}/`;
  return !path.endsWith(`${rootPath}/`);
}

/** Whether a URL points to the machine that uses it, which ION cannot reach. */
export function pointsToThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}

/** The address without its query, which may hold a secret. */
export function withoutQuery(uri: string): string {
  if (!URL.canParse(uri)) return '';
  const { origin, pathname } = new URL(uri);
  return `${origin}${pathname}`.slice(0, MAX_SHOWN_URL);
}
