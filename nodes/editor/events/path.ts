import { withoutTrailingSlashes } from '../../client/support/paths.js';
import {
  type Instance,
  idIn,
  instancesOf,
  isInSubflow,
  propertyOf,
  variableIn,
} from '../subflows/instances.js';

/** An address of a webhook, and whose it is. */
export interface Address {
  /** Of the subflow's instance; empty outside of subflows. */
  instance: string;
  url: string;
}

/** Where a webhook of this node comes in, below Node-RED's own root for nodes. */
export function pathOf(node: EditedNode, path: string): string {
  return path || `/ion/${node.id}`;
}

/**
 * The addresses of a webhook as ION, or else this browser, reaches them: several for a node of a
 * subflow, in each instance of which it is another node.
 */
export function addressesOf(node: EditedNode, path: string, publicUrl: string): Address[] {
  if (!isInSubflow(node.z)) return [{ instance: '', url: urlOf(pathOf(node, path), publicUrl) }];
  return instancesOf(node.z).map((instance) => {
    const own = path === '' ? `/ion/${idIn(instance, node.id)}` : valueIn(instance, path);
    return { instance: instance.name, url: urlOf(own, valueIn(instance, publicUrl)) };
  });
}

/** Whether instances of the node's subflow would take the same requests. */
export function isShared(node: EditedNode, path: string): boolean {
  if (path === '' || !isInSubflow(node.z)) return false;
  const paths = instancesOf(node.z).map((instance) => normal(valueIn(instance, path)));
  return new Set(paths).size < paths.length;
}

/** A subflow property in place of its name. */
function valueIn(instance: Instance, text: string): string {
  const name = variableIn(text);
  return name === undefined ? text : (propertyOf(instance, name) ?? text);
}

function urlOf(path: string, publicUrl: string): string {
  if (publicUrl !== '') return withoutTrailingSlashes(publicUrl) + path;
  return location.origin + withoutTrailingSlashes(RED.settings.httpNodeRoot || '') + path;
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
