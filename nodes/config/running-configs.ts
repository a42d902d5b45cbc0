import type { IonConfigNode } from './config-node.js';

/** All of this process, also the copies in instances of subflows, which Node-RED does not list. */
const running = new Set<IonConfigNode>();

/** The config nodes that run, in the order in which they started. */
export function runningConfigs(): readonly IonConfigNode[] {
  return [...running];
}

/** Registers a config node until it closes. */
export function registerRunningConfig(node: IonConfigNode): void {
  running.add(node);
  node.on('close', () => {
    running.delete(node);
  });
}
