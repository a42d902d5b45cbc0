import { withoutTrailingSlashes } from './paths.js';

const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

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
  return URL.canParse(url) && THIS_MACHINE.test(new URL(url).hostname);
}
