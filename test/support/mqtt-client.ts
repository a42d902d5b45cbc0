import { EventEmitter, once } from 'node:events';
import { connectAsync, type MqttClient } from 'mqtt';

export interface MqttMessage {
  topic: string;
  /** As text; empty if a retained message is removed. */
  payload: string;
  /** Whether the broker had it before this client subscribed. */
  retained: boolean;
}

/** A machine, a light or another system that speaks MQTT. */
export class TestMqttClient {
  /** Oldest first. */
  readonly received: MqttMessage[] = [];
  readonly #client: MqttClient;
  readonly #changed = new EventEmitter();

  static async connect(url: string, ...topics: string[]): Promise<TestMqttClient> {
    const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 50 });
    const connected = new TestMqttClient(client);
    if (topics.length > 0) await client.subscribeAsync(topics, { qos: 1 });
    return connected;
  }

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload, { retain: retained }) => {
      this.received.push({ topic, payload: payload.toString(), retained });
      this.#changed.emit('change');
    });
    // It reconnects automatically.
    client.on('error', () => {});
  }

  /** With QoS 1; resolves once the broker has it. */
  async publish(topic: string, payload: object | string): Promise<void> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    await this.#client.publishAsync(topic, text, { qos: 1 });
  }

  /** The last message of a topic. */
  last(topic: string): string | undefined {
    return this.received.findLast((message) => message.topic === topic)?.payload;
  }

  /** Waits until the received messages satisfy the condition. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#changed, 'change');
  }

  close(): Promise<void> {
    return this.#client.endAsync(true);
  }
}

/** The broker's retained message of a topic, as a later subscriber receives it. */
export async function retainedMessages(url: string, topic: string): Promise<Map<string, string>> {
  const end = 'test/end-of-retained';
  const client = await TestMqttClient.connect(url, topic, end);
  // Arrives after retained messages, because the broker keeps the order.
  await client.publish(end, 'end');
  await client.until(() => client.last(end) !== undefined);
  await client.close();
  return new Map(
    client.received
      .filter(({ retained }) => retained)
      .map(({ topic, payload }) => [topic, payload] as const),
  );
}
