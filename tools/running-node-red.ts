import { EventEmitter, once } from 'node:events';
import type { WebSocket } from 'undici';
import { type EditorEvent, openComms } from './comms.js';
import type { FlowNode } from './flow-nodes.js';
import { freePort, isUp, type NodeRed, startNodeRed } from './node-red.js';

interface Options {
  /** Any free port by default. */
  port?: number;
  env?: Record<string, string>;
  settings?: object;
}

/** A real Node-RED process, as tests see it: by its log, its admin API and its editor events. */
export class RunningNodeRed {
  readonly url: string;
  /** Its complete output so far. */
  log = '';
  readonly events: EditorEvent[] = [];
  readonly #changed = new EventEmitter();
  readonly #nodeRed: NodeRed;
  #comms: WebSocket | undefined;

  static #editorPort: number | undefined;

  /** On the port of its predecessor: a browser keeps its compiled scripts per origin. */
  static async startForEditor(userDir: string, options: Options = {}): Promise<RunningNodeRed> {
    RunningNodeRed.#editorPort ??= await freePort();
    return RunningNodeRed.start(userDir, { port: RunningNodeRed.#editorPort, ...options });
  }

  static async start(userDir: string, options: Options = {}): Promise<RunningNodeRed> {
    const port = options.port ?? (await freePort());
    // At level trace, so that a test that searches the log sees everything.
    const logging = { console: { level: 'trace', metrics: false, audit: true } };
    const settings = { logging, ...options.settings };
    const nodeRed = await startNodeRed({ ...options, userDir, port, settings, output: 'pipe' });
    const running = new RunningNodeRed(nodeRed, port);
    await running.until(() => isUp(running.log));
    return running;
  }

  private constructor(nodeRed: NodeRed, port: number) {
    this.#nodeRed = nodeRed;
    this.#changed.setMaxListeners(0);
    this.url = `http://127.0.0.1:${port}`;
    nodeRed.process.once('exit', () => this.#changed.emit('change'));
    for (const stream of [nodeRed.process.stdout, nodeRed.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        this.#changed.emit('change');
      });
    }
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#nodeRed.process;
    return exitCode === null && signalCode === null;
  }

  /** Waits until its process has ended. */
  async ended(): Promise<void> {
    while (this.isRunning) await once(this.#changed, 'change');
  }

  /** Ends its process at once. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }

  signal(signal: NodeJS.Signals): void {
    this.#nodeRed.process.kill(signal);
  }

  /** Waits until the log or the events satisfy the condition. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (!this.isRunning) throw new Error(`Node-RED ended:\n${this.log}`);
      await once(this.#changed, 'change');
    }
  }

  /** Replaces all flows, and waits until they run. */
  async deploy(flows: FlowNode[], type: 'full' | 'flows' | 'nodes' = 'full'): Promise<void> {
    await this.untilStarted(() => this.#post(flows, type));
  }

  /** Waits until the flows run that an action deploys: its response arrives before that. */
  async untilStarted(deploy: () => Promise<void>): Promise<void> {
    const started = this.#starts();
    await deploy();
    await this.until(() => this.#starts() > started);
  }

  async #post(flows: FlowNode[], type: 'full' | 'flows' | 'nodes'): Promise<void> {
    const response = await fetch(`${this.url}/flows`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'node-red-api-version': 'v2',
        'node-red-deployment-type': type,
      },
      body: JSON.stringify({ flows }),
    });
    if (!response.ok) throw new Error(`POST /flows: ${response.status} ${await response.text()}`);
  }

  /** Records from now on all events for the editor. */
  async listen(): Promise<void> {
    this.#comms = await openComms(this.url, ['debug', 'status/#'], (events) => {
      this.events.push(...events);
      this.#changed.emit('change');
    });
  }

  /** The node types of this package, and whether all of them work. */
  async ownTypes(): Promise<{ types: string[]; areEnabled: boolean }> {
    const response = await fetch(`${this.url}/nodes`, { headers: { accept: 'application/json' } });
    const sets = (await response.json()) as {
      module: string;
      types: string[];
      enabled: boolean;
      err?: string;
    }[];
    const own = sets.filter(({ module }) => module === '@ion-nodes/node-red-ion');
    return {
      types: own.flatMap(({ types }) => types).sort(),
      areEnabled: own.every(({ enabled, err }) => enabled && !err),
    };
  }

  async stop(): Promise<void> {
    this.#comms?.close();
    await this.#nodeRed.stop();
  }

  #starts(): number {
    return this.log.match(/Started (modified )?(flows|nodes)/g)?.length ?? 0;
  }
}
