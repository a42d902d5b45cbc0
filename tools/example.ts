import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Sandbox } from '../sandbox/server.js';
import type { FlowNode } from './flow-nodes.js';
import { prepareUserDir } from './node-red.js';
import { root } from './package.js';
import { addPalette, type Palette } from './palettes.js';
import { RunningNodeRed } from './running-node-red.js';

export interface ExampleOptions {
  /** Parent of its user folder. */
  folder: string;
  sandbox: Pick<Sandbox, 'url' | 'authUrl' | 'clientId' | 'clientSecret'>;
  /** In addition to the addresses of ION. */
  env?: Record<string, string>;
  /** Installed by `usePalettes`. */
  palettes?: readonly Palette[];
  /** Properties of nodes, by ID without the example's prefix, that every test must replace. */
  changes?: Record<string, object>;
  /** Properties of additional nodes, by ID without the example's prefix. */
  credentials?: Record<string, object>;
  settings?: object;
}

/** An example as published, in a real Node-RED. */
export class RunningExample {
  /** Prefix of the IDs of its nodes. */
  readonly prefix: string;
  readonly nodeRed: RunningNodeRed;

  /** @param file below examples/, such as `dashboard/02-runs-by-status.json` */
  static async start(file: string, options: ExampleOptions): Promise<RunningExample> {
    const { folder, sandbox, palettes = [], changes = {}, credentials = {} } = options;
    const flow = await exampleFlow(file);
    const prefix = `${flow.find(({ type }) => type === 'tab')?.id}-`;
    const userDir = join(folder, basename(file, '.json'));
    await mkdir(userDir);
    const { clientId, clientSecret, url, authUrl } = sandbox;
    await prepareUserDir(
      userDir,
      flow.map((node) => ({ ...node, ...changes[node.id.slice(prefix.length)] })),
      Object.fromEntries(
        Object.entries({ config: { clientId, clientSecret }, ...credentials }).map(
          ([id, values]) => [prefix + id, values],
        ),
      ),
    );
    for (const palette of palettes) await addPalette(userDir, palette);
    const nodeRed = await RunningNodeRed.start(userDir, {
      env: { ION_API_URL: url, ION_AUTH_URL: authUrl, ...options.env },
      ...(options.settings && { settings: options.settings }),
    });
    await nodeRed.listen();
    return new RunningExample(prefix, nodeRed);
  }

  private constructor(prefix: string, nodeRed: RunningNodeRed) {
    this.prefix = prefix;
    this.nodeRed = nodeRed;
  }

  /** Presses the button of an inject node. */
  async inject(id: string): Promise<void> {
    const response = await fetch(`${this.nodeRed.url}/inject/${this.prefix}${id}`, {
      method: 'POST',
    });
    if (!response.ok) throw new Error(`inject ${id}: HTTP ${response.status}`);
  }

  /** The first value in a debug node, once there is one. */
  async shown(id: string): Promise<string> {
    const { nodeRed, prefix } = this;
    const found = () =>
      nodeRed.events.find(({ topic, data }) => topic === 'debug' && data.id === prefix + id);
    await nodeRed.until(() => found() !== undefined);
    return String(found()?.data.msg);
  }

  stop(): Promise<void> {
    return this.nodeRed.stop();
  }
}

export async function exampleFlow(file: string): Promise<FlowNode[]> {
  return JSON.parse(await readFile(join(root, 'examples', file), 'utf8')) as FlowNode[];
}
