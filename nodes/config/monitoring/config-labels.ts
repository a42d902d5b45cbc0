import type { IonConfigNode } from '../config-node.js';

/** The labels of a config node. Names may collide, and those of the instances of a subflow do. */
export interface ConfigLabels {
  /** The ID if it has no name. */
  config: string;
  id: string;
}

export function labelsOf({ name, id }: IonConfigNode): ConfigLabels {
  return { config: String(name ?? '') || id, id };
}
