import { EventEmitter, once } from 'node:events';
import { connectAsync, type MqttClient } from 'mqtt';

/** A machine's message at the end of a cycle. */
export interface Cycle {
  cycle: string;
  run: unknown;
  step: string;
  field: string;
  value: unknown;
}

export interface Answer {
  cycle: string;
  instance: string;
  /** Reason of a rejection. */
  reason?: string;
}

export interface MachinesOptions {
  /** Host and port of the broker. */
  url: string;
  /** The answer that a cycle waits for. */
  until: 'accepted' | 'written';
  /** Number of cycles that wait at once. */
  inFlight: number;
  /** Time before a cycle is sent again, in ms. */
  repeatAfter: number;
}

const MACHINES = 20;
const ANSWERS = ['accepted', 'written', 'refused'] as const;

/** Machines that send the input of example 9 again and again until it is answered. */
export class Machines {
  /** The first response of each kind, by cycle. */
  readonly accepted = new Map<string, Answer>();
  readonly written = new Map<string, Answer>();
  readonly refused = new Map<string, Answer>();
  repeated = 0;
  readonly #options: MachinesOptions;
  readonly #client: MqttClient;
  readonly #waiting = new Map<string, { topic: string; payload: string; sentAt: number }>();
  readonly #answers = new EventEmitter();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  static async connect(options: MachinesOptions): Promise<Machines> {
    const client = await connectAsync(options.url, { protocolVersion: 5 });
    await client.subscribeAsync(
      ANSWERS.map((answer) => `machines/+/${answer}`),
      { qos: 1 },
    );
    return new Machines(client, options);
  }

  private constructor(client: MqttClient, options: MachinesOptions) {
    this.#client = client;
    this.#options = options;
    client.on('message', (topic, payload) => this.#hear(topic, payload));
    this.#timer = setInterval(() => this.#repeat(), options.repeatAfter / 4);
  }

  /** Sends cycles, each as soon as there is a free slot; the last ones may still wait afterwards. */
  async send(cycles: Iterable<Cycle>): Promise<void> {
    for (const cycle of cycles) {
      await this.until(() => this.#waiting.size < this.#options.inFlight);
      const topic = `machines/machine-${this.#sent++ % MACHINES}/cycle`;
      const message = { topic, payload: JSON.stringify(cycle), sentAt: performance.now() };
      this.#waiting.set(cycle.cycle, message);
      this.#publish(message);
    }
  }

  /** Waits until the answers satisfy the condition. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#answers, 'answer');
  }

  /** Waits until no cycle waits for a response. */
  allAnswered(): Promise<void> {
    return this.until(() => this.#waiting.size === 0);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.endAsync(true);
  }

  #publish({ topic, payload }: { topic: string; payload: string }): void {
    // A message that does not reach the broker gets no answer, and is sent again.
    this.#client.publish(topic, payload, { qos: 1 }, () => {});
  }

  #hear(topic: string, payload: Buffer): void {
    const kind = topic.slice(topic.lastIndexOf('/') + 1) as (typeof ANSWERS)[number];
    const answer = JSON.parse(payload.toString()) as Answer;
    const answers = this[kind];
    if (!answers.has(answer.cycle)) answers.set(answer.cycle, answer);
    if (kind === this.#options.until || kind === 'refused') this.#waiting.delete(answer.cycle);
    this.#answers.emit('answer');
  }

  #repeat(): void {
    const now = performance.now();
    for (const message of this.#waiting.values()) {
      if (now - message.sentAt < this.#options.repeatAfter) continue;
      message.sentAt = now;
      this.repeated++;
      this.#publish(message);
    }
  }
}
