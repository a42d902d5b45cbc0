import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { IonClient } from '../../nodes/client/client.js';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { ACTIONS, type Action, type NamedDialect } from './dialects.js';
import { clientSettings } from './sandbox.js';
import { makeStep, type StepForTests } from './steps.js';
import { until } from './until.js';

const RUNS = 60;
const VALUES = { Torque: 12.5, Note: 'ok', Result: 'PASS' };
const FIELDS = [
  { name: 'Torque', type: 'NUMBER' },
  { name: 'Note', type: 'STRING' },
  { name: 'Result', type: 'SELECT', options: ['PASS', 'FAIL'] },
];
/** One action takes less, also beside many others. */
const MAX_MS = 120_000;
const EVENT_SECRET = 'example-secret';

/** The response of a flow to one message. */
interface Answer {
  payload?: unknown;
  error?: { code: string; message: string };
}

/** A tab with every node of the package, and its own ION, which follows one dialect. */
export class Plant {
  readonly dialect: NamedDialect;
  readonly #id: string;
  readonly #sandbox: Sandbox;
  readonly #step: StepForTests;
  /** That step, and in a batch the same step of the other run. */
  readonly #steps: readonly StepForTests[];
  /** The running Node-RED. */
  #url = '';
  #isClosed = false;
  /** The bodies that the flow posted so far: events, and failures that answer no request. */
  readonly #posted: Record<string, string[]> = { poll: [], webhook: [], failures: [] };

  static async start(id: string, dialect: NamedDialect): Promise<Plant> {
    const sandbox = await startSandbox({ port: 0, runs: RUNS });
    const client = new IonClient(clientSettings(sandbox));
    try {
      const step = await makeStep(client, FIELDS);
      const siblings = dialect.isBatched ? [await makeStep(client, FIELDS)] : [];
      if (dialect.isBatched) putInOneBatch(sandbox, [step, ...siblings]);
      sandbox.control.set({ webhookRetryDelay: 10, ...dialect.settings });
      return new Plant(id, dialect, sandbox, [step, ...siblings]);
    } finally {
      await client.close();
    }
  }

  private constructor(
    id: string,
    dialect: NamedDialect,
    sandbox: Sandbox,
    steps: readonly [StepForTests, ...StepForTests[]],
  ) {
    this.#id = id;
    this.dialect = dialect;
    this.#sandbox = sandbox;
    this.#step = steps[0];
    this.#steps = steps;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#sandbox.close();
  }

  get credentials(): object {
    const { clientId, clientSecret } = this.#sandbox;
    return {
      [this.#name('config')]: { clientId, clientSecret },
      [this.#name('webhook')]: { secret: EVENT_SECRET },
    };
  }

  /**
   * @param nodeRed the URL of the Node-RED that will run them
   * @param collector the URL that takes events and failures
   */
  nodes(nodeRed: string, collector: string): FlowNode[] {
    this.#url = nodeRed;
    const tab = this.#name('tab');
    const given = {
      runType: 'msg',
      run: 'payload.run',
      step: 'payload.step',
      value: 'payload.value',
    };
    const driven: Record<string, FlowNode> = {
      query: {
        ...graphqlNode,
        query: 'query ($id: ID!) { run(id: $id) { id steps { id } } }',
        variables: 'payload',
      },
      pages: {
        ...graphqlNode,
        query:
          'query ($n: Int, $c: String) { runs(first: $n, after: $c) { edges { node { id } } } }',
        variables: 'payload',
        pages: 'all',
      },
      changes: { ...runsNode, fields: ['id', 'title'], changes: true },
      value: { ...stepNode, ...given, field: 'payload.field' },
      status: { ...stepNode, ...given, action: 'status' },
      file: { ...stepNode, ...given, action: 'file', filename: 'payload.filename' },
      outbox: { ...stepNode, ...given, field: 'payload.field', delivery: 'outbox' },
    };
    const sources: Record<string, FlowNode> = {
      poll: { ...eventsNode, interval: 1, actions: ['UPDATE'] },
      webhook: {
        ...eventsNode,
        ...{ via: 'webhook', path: `/${this.#id}/hook`, register: true, publicUrl: nodeRed },
        actions: ['UPDATE'],
      },
    };
    const name = (node: string) => this.#name(node);
    const config = { config: name('config'), z: tab, x: 0, y: 0 };
    const place = { z: tab, x: 0, y: 0 };
    const toCollector = (key: string) => ({
      ...{ id: name(`to-${key}`), type: 'http request', method: 'POST', ret: 'txt' },
      ...{ url: `${collector}/${this.#id}/${key}`, wires: [[]], ...place },
    });
    return [
      { id: tab, type: 'tab', label: tab },
      { ...sandboxConfig(this.#sandbox), id: name('config') },
      ...Object.entries(driven).flatMap(([key, node]) => [
        {
          ...{ id: name(`in-${key}`), type: 'http in', url: `/${this.#id}/${key}`, method: 'post' },
          ...{ wires: [[name(key)]], ...place },
        },
        { ...node, id: name(key), ...config, wires: [[name('answer')]] },
      ]),
      { id: name('catch'), type: 'catch', scope: null, wires: [[name('answer')]], ...place },
      {
        id: name('answer'),
        type: 'function',
        outputs: 2,
        func: `const { payload, error } = msg;
          msg.payload = { payload, error: error && { code: error.code, message: error.message } };
          return msg.res ? [msg, null] : [null, { payload: { ...msg.payload, from: error?.source.id } }];`,
        wires: [[name('out')], [name('to-failures')]],
        ...place,
      },
      toCollector('failures'),
      { id: name('out'), type: 'http response', wires: [], ...place },
      {
        ...{ id: name('accepted'), type: 'complete', scope: [name('outbox')], ...place },
        wires: [[name('answer')]],
      },
      ...Object.entries(sources).flatMap(([key, node]) => [
        { ...node, id: name(key), ...config, wires: [[name(`event-${key}`)]] },
        {
          ...{ id: name(`event-${key}`), type: 'function', outputs: 1, ...place },
          func: 'const { payload, topic, ion } = msg; return { payload: { payload, topic, ion } };',
          wires: [[name(`to-${key}`)]],
        },
        toCollector(key),
      ]),
    ];
  }

  /** Takes a body that the flow posts to the collector. */
  saw(source: string, body: string): void {
    this.#posted[source]?.push(body);
  }

  /** Does everything that users do. @returns the text of the error for each action that failed */
  async work(): Promise<Map<Action, string>> {
    const failures = new Map<Action, string>();
    for (const action of ACTIONS) {
      const error = await Promise.race([this.#act(action), this.#tooLate()]).then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      if (error) failures.set(action, error.message);
    }
    return failures;
  }

  async #tooLate(): Promise<never> {
    await sleep(MAX_MS, undefined, { ref: false });
    throw new Error(`nothing happened for ${MAX_MS} ms`);
  }

  #name(node: string): string {
    return `${node}-${this.#id}`;
  }

  #act(action: Action): Promise<void> {
    switch (action) {
      case 'query':
        return this.#query();
      case 'all pages':
        return this.#allPages();
      case 'changes':
        return this.#changes();
      case 'value by names':
        return this.#value();
      case 'several values':
        return this.#values();
      case 'status':
        return this.#status();
      case 'file':
        return this.#file();
      case 'outbox after an outage':
        return this.#outbox();
      case 'events by poll':
        return this.#event('poll');
      case 'events by webhook':
        return this.#event('webhook');
      case 'connection test':
        return this.#test();
      case 'schema completion':
        return this.#schema();
    }
  }

  async #query(): Promise<void> {
    const { run, step } = this.#step;
    const payload = (await this.#send('query', { id: run })) as {
      run: { id: unknown; steps: { id: unknown }[] };
    };
    assert.equal(String(payload.run.id), String(run));
    assert.deepEqual(
      payload.run.steps.map(({ id }) => String(id)),
      [String(step)],
    );
  }

  async #allPages(): Promise<void> {
    const payload = (await this.#send('pages', {})) as {
      runs: { edges: { node: { id: unknown } }[] };
    };
    const ids = payload.runs.edges.map(({ node }) => String(node.id));
    const all = this.#sandbox.data.runs.all().map(({ id }) => String(id));
    assert.deepEqual(ids.sort(), all.sort());
  }

  async #changes(): Promise<void> {
    const { runs } = this.#sandbox.data;
    const read = async () =>
      ((await this.#send('changes', {})) as { id: unknown }[]).map(({ id }) => String(id));
    assert.equal(new Set(await read()).size, runs.all().length);
    runs.update(7, { title: 'Changed' });
    assert.deepEqual(await read(), ['7']);
  }

  async #value(): Promise<void> {
    const { run, fields } = this.#step;
    this.#interfere('updateRunStepFieldValue', () =>
      this.#sandbox.data.runStepFields.update(fields.Torque ?? 0, {}),
    );
    const target = { run, step: 'Example step', field: 'Torque' };
    await this.#send('value', { ...target, value: 12.5 });
    this.#hasValue('Torque', 12.5);
  }

  async #values(): Promise<void> {
    await this.#send('value', { step: this.#step.step, value: VALUES, field: undefined });
    for (const [name, value] of Object.entries(VALUES)) this.#hasValue(name, value);
  }

  async #file(): Promise<void> {
    const { step, entityId } = this.#step;
    await this.#send('file', { step, value: 'curve', filename: 'curve.csv' });
    const { fileAttachments } = this.#sandbox.data;
    const names = fileAttachments.of(entityId).map(({ filename }) => filename);
    assert.deepEqual(names, ['curve.csv']);
  }

  async #status(): Promise<void> {
    const { step } = this.#step;
    const { runSteps } = this.#sandbox.data;
    this.#interfere('updateRunStep', () => runSteps.update(step, {}));
    await this.#send('status', { step, value: 'COMPLETE' });
    for (const { step: id } of this.#steps) {
      assert.equal(runSteps.get(id)?.status, 'COMPLETE');
      runSteps.update(id, { status: 'IN_PROGRESS' });
    }
  }

  async #outbox(): Promise<void> {
    const { control } = this.#sandbox;
    control.fault({ target: 'api', kind: 'reset', times: 3 });
    await this.#send('outbox', { step: this.#step.step, field: 'Torque', value: 99 });
    await this.#until('outbox', () => String(this.#valueOf('Torque')) === '99');
  }

  /** The first changes may come before the node watches. */
  async #event(source: 'poll' | 'webhook'): Promise<void> {
    const { step } = this.#step;
    const { runSteps } = this.#sandbox.data;
    const { webhookAction = true } = this.dialect.settings;
    const isNamed = source === 'poll' || webhookAction;
    const expectedTopic = isNamed ? 'RUN_STEPS/UPDATE' : 'RUN_STEPS';
    const isSeen = () =>
      this.#posted[source]?.some((body) => {
        const { payload, topic, ion } = JSON.parse(body);
        return topic === expectedTopic && Number(ion.id) === step && payload !== undefined;
      });
    await this.#until(source, () => {
      if (isSeen()) return true;
      runSteps.update(step, {});
      return false;
    });
  }

  async #test(): Promise<void> {
    const { environment, apiUrl, authUrl } = sandboxConfig(this.#sandbox);
    const { clientId, clientSecret } = this.#sandbox;
    const config = { environment, apiUrl, authUrl };
    await this.#admin('/ion-config/test', {
      ...{ id: 'none', config, credentials: { clientId, clientSecret } },
    });
  }

  async #schema(): Promise<void> {
    const body = await this.#admin(`/ion-config/${this.#name('config')}/schema`);
    assert.ok((body as { __schema: { types: unknown[] } }).__schema.types.length > 1000);
  }

  /** @throws Error with the text of a failure of this node that comes first */
  async #until(node: string, isDone: () => boolean | undefined): Promise<void> {
    await until(() => {
      for (const body of this.#posted.failures ?? []) {
        const { error, from } = JSON.parse(body) as Answer & { from: string };
        if (from === this.#name(node)) throw failed(error);
      }
      return this.#isClosed || isDone() === true;
    });
  }

  /** Lets somebody else change a row just before the next mutation of this name. */
  #interfere(mutation: string, change: () => void): void {
    const { control } = this.#sandbox;
    const { executed } = Object.getPrototypeOf(control) as typeof control;
    control.executed = (name) => {
      executed.call(control, name);
      if (name !== mutation) return;
      control.executed = executed;
      change();
    };
  }

  #valueOf(name: string, { fields } = this.#step): unknown {
    return this.#sandbox.data.runStepFields.get(fields[name] ?? 0)?.value;
  }

  #hasValue(name: string, value: unknown): void {
    for (const step of this.#steps) {
      assert.equal(String(this.#valueOf(name, step)), String(value), name);
    }
  }

  /** @returns the payload that the node sends @throws Error with the text that a Catch node receives */
  async #send(node: string, payload: object): Promise<unknown> {
    const answer = (await this.#request(`/${this.#id}/${node}`, payload)) as Answer;
    if (answer.error) throw failed(answer.error);
    return answer.payload;
  }

  async #admin(path: string, body?: object): Promise<unknown> {
    const answer = (await this.#request(path, body)) as { code?: string; message?: string };
    if (answer.code) throw new Error(`${answer.code}: ${answer.message}`);
    return answer;
  }

  async #request(path: string, body?: object): Promise<unknown> {
    const response = await request(this.#url + path, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
      // A connection of its own: a kept one may end just when a busy machine uses it again.
      reset: true,
    });
    return response.body.json();
  }
}

/** Node-RED puts the name of an error in front of its text. */
function failed({ code, message } = { code: '', message: '' }): Error {
  return new Error(`${code}: ${message.replace(/^IonError: /, '')}`);
}

function putInOneBatch({ data }: Sandbox, steps: readonly StepForTests[]): void {
  const batch = { title: 'Example batch' };
  const { id: runBatchId } = data.table('RunBatch').insert(batch);
  for (const { run } of steps) data.runs.update(run, { runBatchId });
}
