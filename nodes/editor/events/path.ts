import { withoutTrailingSlashes } from '../../client/support/paths.js';
import {
  type Instance,
  idIn,
  instancesOf,
  isInSubflow,
  propertyOf,
  variableIn,
} from '../subflows/instances.js';

/** An address at which a webhook is received. */
export interface Address {
  /** The name of the subflow's instance; empty outside subflows. */
  instance: string;
  url: string;
}

/** The path of this node's webhook, below Node-RED's root for nodes. */
export function pathOf(node: EditedNode, path: string): string {
  return path || `/ion/${node.id}`;
}

/**
 * The addresses of a webhook under the public URL, or without one under the URL of this editor. A
 * node of a subflow has one address per instance, because each instance has its own copy of the node.
 */
export function addressesOf(node: EditedNode, path: string, publicUrl: string): Address[] {
  if (!isInSubflow(node.z)) return [{ instance: '', url: urlOf(pathOf(node, path), publicUrl) }];
  return instancesOf(node.z).map((instance) => {
    const own = path === '' ? `/ion/${idIn(instance, node.id)}` : valueIn(instance, path);
    return { instance: instance.name, url: urlOf(own, valueIn(instance, publicUrl)) };
  });
}

/** Whether several instances of the node's subflow would receive the same requests. */
export function isShared(node: EditedNode, path: string): boolean {
  if (path === '' || !isInSubflow(node.z)) return false;
  const paths = instancesOf(node.z).map((instance) => comparablePath(valueIn(instance, path)));
  return new Set(paths).size < paths.length;
}

/** The text; if it is a reference to a subflow property, the property's value. */
function valueIn(instance: Instance, text: string): string {
  const name = variableIn(text);
  return name === undefined ? text : (propertyOf(instance, name) ?? text);
}

function urlOf(path: string, publicUrl: string): string {
  if (publicUrl !== '') return withoutTrailingSlashes(publicUrl) + path;
  return location.origin + withoutTrailingSlashes(RED.settings.httpNodeRoot || '') + path;
}

/** Whether another webhook or an http in node has the same path. */
export function isTaken(node: EditedNode, path: string): boolean {
  const address = comparablePath(pathOf(node, path));
  const events = RED.nodes
    .filterNodes({ type: 'ion-events' })
    .filter(({ id, via }) => id !== node.id && via === 'webhook')
    .map((each) => ({ d: each.d, path: each.path || `/ion/${each.id}` }));
  const httpIn = RED.nodes
    .filterNodes({ type: 'http in' })
    .filter(({ method }) => method === 'post')
    .map(({ d, url }) => ({ d, path: url }));
  return [...events, ...httpIn].some(
    ({ d, path }) => !d && comparablePath(String(path)) === address,
  );
}

/** The form in which Node-RED's server compares paths. */
function comparablePath(path: string): string {
  return `/${path}`
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
}
