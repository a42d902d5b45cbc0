import { withoutTrailingSlashes } from '../../client/paths.js';

/** Where a webhook of this node comes in, below Node-RED's own root for nodes. */
export function pathOf(node: EditedNode, path: string): string {
  return path || `/ion/${node.id}`;
}

/** The address of a path as ION, or else this browser, reaches it. */
export function addressOf(path: string, publicUrl: string): string {
  if (publicUrl !== '') return withoutTrailingSlashes(publicUrl) + path;
  return location.origin + withoutTrailingSlashes(RED.settings.httpNodeRoot) + path;
}

/** Whether another webhook or an http in node is to get the same requests. */
export function isTaken(node: EditedNode, path: string): boolean {
  const address = normal(pathOf(node, path));
  const events = RED.nodes
    .filterNodes({ type: 'ion-events' })
    .filter(({ id, via }) => id !== node.id && via === 'webhook')
    .map((each) => ({ d: each.d, path: each.path || `/ion/${each.id}` }));
  const httpIn = RED.nodes
    .filterNodes({ type: 'http in' })
    .filter(({ method }) => method === 'post')
    .map(({ d, url }) => ({ d, path: url }));
  return [...events, ...httpIn].some(({ d, path }) => !d && normal(String(path)) === address);
}

/** As Node-RED's server compares paths. */
function normal(path: string): string {
  return `/${path}`
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
}
