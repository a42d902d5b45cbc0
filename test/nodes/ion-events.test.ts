import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { EventsFlow, expressApp } from '../support/events-flow.js';
import { type FlowMessage, helper, sandboxKey } from '../support/flow.js';
import { nothingUnhandled } from '../support/hostile.js';
import { valueIn } from '../support/metrics.js';
import { withoutPauses } from '../support/pauses.js';
import { useSandbox } from '../support/sandbox.js';
import { closeAfterEach, httpServer, type TestServer } from '../support/servers.js';
import { until } from '../support/until.js';

const SECRET = 'example-secret';

describe('ion-events', () => {
  withoutPauses();
  nothingUnhandled();
  const context = useSandbox({ runs: 20 });
  const opened = closeAfterEach();
  let flow: EventsFlow;
  let server: TestServer;
  let app: ReturnType<typeof expressApp>;

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(async () => {
    app = expressApp();
    server = opened(await httpServer(app));
  });
  afterEach(async () => {
    await helper.unload();
    flow?.stopWatching();
  });

  const load = async (
    nodes: object | object[] = {},
    { config = {}, secret = SECRET }: { config?: object; secret?: string } = {},
  ) => {
    const { sandbox } = context;
    const list = [nodes].flat().map((each): FlowNode => ({ ...eventsNode, ...each }));
    const secrets = Object.fromEntries(list.map(({ id }) => [id, { secret }]));
    const credentials = { ...sandboxKey(sandbox), ...secrets };
    const settings = { retries: 0, ...config };
    flow = await EventsFlow.load(list, [sandboxConfig(sandbox, settings)], credentials, app);
    return flow;
  };
  const data = () => context.sandbox.data;
  const stepOf = (run: number) => Number(data().runSteps.of(run)[0]?.id);
  const ionOf = (msg: FlowMessage | undefined) => msg?.ion as FlowMessage;
  const payloadOf = (msg: FlowMessage | undefined) => msg?.payload as FlowMessage;
  const metric = async (name: string) => {
    const { text } = await helper.request().get('/ion-config/metrics');
    return valueIn(text, name, { id: 'config' });
  };

  describe('polling', () => {
    const poll = { interval: 0.1 };
    const requests = () => context.sandbox.control.counters().api.total;
    /** Waits for this many more responses. */
    const polls = async (count: number) => {
      const before = requests();
      await until(() => requests() >= before + count);
    };
    const begin = async (properties: object = {}, options: { config?: object } = {}) => {
      await load({ ...poll, ...properties }, options);
      await until(() => flow.status() === 'green events.polled');
    };

    it('reports changes from now on, once each, with the default fields', async () => {
      data().runSteps.update(stepOf(3), { title: 'Before' });
      await begin();
      const id = stepOf(5);
      data().runSteps.update(id, { title: 'After' });
      await until(() => flow.sent.length > 0);
      await polls(3);
      const [msg, ...others] = flow.sent;
      assert.equal(others.length, 0);
      assert.equal(msg?.topic, 'RUN_STEPS/UPDATE');
      assert.deepEqual(Object.keys(payloadOf(msg)), [
        'id',
        '_created',
        '_updated',
        'title',
        'status',
        'runId',
      ]);
      assert.equal(payloadOf(msg).runId, data().runSteps.get(id)?.runId);
      const { receivedAt, ...ion } = ionOf(msg);
      assert.deepEqual(ion, { resource: 'RUN_STEPS', action: 'UPDATE', id, via: 'poll' });
      assert.ok(Math.abs(Date.parse(String(receivedAt)) - Date.now()) < 60_000);
    });

    it('reports the changes of an ION whose steps have no run ID, without it', async () => {
      context.sandbox.control.set({ unknown: ['RunStep.runId'] });
      try {
        await begin();
        data().runSteps.update(stepOf(5), { title: 'Once more' });
        await until(() => flow.sent.length > 0);
        const [msg] = flow.sent;
        assert.equal(payloadOf(msg).title, 'Once more');
        assert.equal(payloadOf(msg).runId, undefined);
      } finally {
        context.sandbox.control.set({ unknown: [] });
      }
    });

    it('reports the step of a field among the default fields', async () => {
      await begin({ resource: 'RUN_STEPS_FIELDS' });
      const [field] = data().runStepFields.all();
      data().runStepFields.update(field?.id as number, { value: 'changed' });
      await until(() => flow.sent.length > 0);
      assert.equal(payloadOf(flow.sent[0]).runStepId, field?.runStepId);
    });

    it('reports the previous values of the fields, once it has seen the object', async () => {
      await begin({ fields: ['id', 'title', 'status'] });
      const id = stepOf(6);
      data().runSteps.update(id, { title: 'One' });
      await until(() => flow.sent.length === 1);
      assert.equal(ionOf(flow.sent[0]).previous, undefined);
      data().runSteps.update(id, { title: 'Two' });
      await until(() => flow.sent.length === 2);
      assert.deepEqual(ionOf(flow.sent[1]).previous, { title: 'One' });
    });

    it('counts its events, and how late they are, for monitoring', async () => {
      for (const changedFields of [[], ['title']]) {
        await begin({ changedFields });
        assert.equal(await metric('ion_events_total'), 0);
        assert.equal(await metric('ion_event_lag_seconds'), undefined);
        data().runSteps.update(stepOf(8), { title: `Counted ${changedFields}` });
        await until(() => flow.sent.length > 0);
        assert.equal(await metric('ion_events_total'), 1);
        const lag = Number(await metric('ion_event_lag_seconds'));
        assert.ok(lag >= 0 && lag < 30, String(lag));
        await helper.unload();
      }
    });

    it('distinguishes creations from updates, and reports only the chosen actions', async () => {
      await begin({ actions: ['CREATE'] });
      const { id, _created, _updated, _etag, ...row } = data().runSteps.get(stepOf(7)) as never as {
        [name: string]: unknown;
        id: number;
      };
      data().runSteps.update(id, { title: 'Not reported' });
      const added = data().runSteps.insert({ ...row, title: 'Added' } as never, 1);
      await until(() => flow.sent.length > 0);
      data().runSteps.update(added.id, { title: 'Not reported' });
      await polls(3);
      assert.deepEqual(
        flow.sent.map(({ topic, payload }) => [topic, (payload as FlowMessage).title]),
        [['RUN_STEPS/CREATE', 'Added']],
      );
      data().runSteps.delete(added.id);
    });

    it('respects the filters, whose values are evaluated each time', async () => {
      const filter = { field: 'runId', op: 'eq', value: '$number("8")', valueType: 'jsonata' };
      await begin({ filters: [filter], fields: ['runId'] });
      data().runSteps.update(stepOf(9), {});
      data().runSteps.update(stepOf(8), {});
      await until(() => flow.sent.length > 0);
      await polls(2);
      assert.deepEqual(
        flow.sent.map(({ payload }) => payload),
        [{ runId: 8 }],
      );
    });

    it('reports runs of which only a step changed', async () => {
      await begin({ resource: 'RUNS', fields: ['id'] });
      data().runSteps.update(stepOf(4), { title: 'Renamed' });
      await until(() => flow.sent.length > 0);
      assert.equal(flow.sent[0]?.topic, 'RUNS/UPDATE');
      assert.deepEqual(flow.sent[0]?.payload, { id: 4 });
    });

    it('backs off while ION is unreachable, reports it once, and misses nothing', async () => {
      await begin();
      const fault = { target: 'api', kind: 'status', status: 500, times: 3 } as const;
      context.sandbox.control.fault(fault);
      data().runSteps.update(stepOf(10), { title: 'Meanwhile' });
      await until(() => flow.status() === 'yellow events.unreachable');
      await until(() => flow.sent.length > 0);
      await until(() => flow.status() === 'green events.polled');
      assert.equal(flow.sent.length, 1);
      assert.equal(flow.caught.length, 1);
      assert.equal(ionOf(flow.caught[0]).code, 'ION_SERVER');
    });

    it('reports an invalid resource, field or configuration', async () => {
      await load({ ...poll, resource: 'GIZMOS' });
      await until(() => flow.caught.length > 0);
      assert.equal(ionOf(flow.caught[0]).code, 'ION_CONFIG');
      assert.match(String(flow.caught[0]?.error.message), /GIZMOS/);
      assert.equal(flow.status(), 'red error.ION_CONFIG');
    });

    it('ends a poll in progress when the node closes', async () => {
      await begin();
      context.sandbox.control.fault({ target: 'api', kind: 'hang', times: 5 });
      await polls(1);
      await helper.unload();
      assert.equal(flow.caught.length, 0);
    });
  });

  describe('by webhook', () => {
    const sign = (body: string | Uint8Array, secret = SECRET) =>
      createHmac('sha256', secret).update(body).digest('hex');
    const event = (changes: object = {}) =>
      JSON.stringify({
        event_id: 1,
        resource: 'run_steps',
        action: 'update',
        row_data: { id: 42 },
        ...changes,
      });
    const begin = async (properties: object = {}, options: Parameters<typeof load>[1] = {}) => {
      await load({ via: 'webhook', path: '/ion/hook', ...properties }, options);
      await until(() => flow.status() !== ' ');
    };
    const post = async (
      body: string | Uint8Array,
      headers: Record<string, string> = { 'x-ion-signature': sign(body) },
      path = '/ion/hook',
    ) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers,
        body: body as never,
      });
      return response.status;
    };
    /** The sandbox notifies this node, like ION. */
    const subscribe = (properties: object = {}) =>
      begin({ register: true, publicUrl: server.url, ...properties });

    it('counts its events, and how late they are if the body says so, for monitoring', async () => {
      await begin({ actions: ['UPDATE', 'DELETE'] });
      await post(event());
      await until(() => flow.sent.length === 1);
      assert.equal(await metric('ion_event_lag_seconds'), undefined);
      const updated = new Date(Date.now() - 60_000).toISOString();
      await post(event({ event_id: 2, row_data: { id: 42, _updated: updated } }));
      await post(
        event({ event_id: 3, action: 'delete', row_data: { id: 42, _updated: '2020-01-01' } }),
      );
      await until(() => flow.sent.length === 3);
      assert.equal(await metric('ion_events_total'), 3);
      const lag = Number(await metric('ion_event_lag_seconds'));
      assert.ok(lag >= 60 && lag < 90, String(lag));
    });

    it('removes spaces at the ends of its secret and texts, also for the receiver in ION', async () => {
      const around = (text: string) => `\ufeff${text} \r\n`;
      const publicUrl = around(server.url);
      const texts = { path: around('/ion/hook'), signatureHeader: around('x-signed'), publicUrl };
      await begin({ register: 'true', verify: 'true', ...texts }, { secret: around(SECRET) });
      await until(() => data().webhookReceivers.all().length === 1);
      const [receiver] = data().webhookReceivers.all();
      assert.deepEqual(
        [receiver?.sharedSecret, receiver?.webhookUri],
        [SECRET, `${server.url}/ion/hook`],
      );
      assert.equal(await post(event(), { 'x-signed': sign(event()) }), 200);
      assert.equal(await post(event(), { 'x-signed': sign(event(), around(SECRET)) }), 401);
      await (helper.getNode('node') as unknown as { close(removed: boolean): Promise<void> }).close(
        true,
      );
    });

    it('passes on an event unchanged', async () => {
      await begin();
      assert.equal(flow.status(), 'green events.received');
      assert.equal(await post(event()), 200);
      await until(() => flow.sent.length > 0);
      const [msg] = flow.sent;
      assert.deepEqual(msg?.payload, JSON.parse(event()));
      assert.equal(msg?.topic, 'RUN_STEPS/UPDATE');
      const { receivedAt, ...ion } = ionOf(msg);
      assert.equal(typeof receivedAt, 'string');
      assert.deepEqual(ion, {
        resource: 'RUN_STEPS',
        action: 'UPDATE',
        id: 42,
        eventId: 1,
        via: 'webhook',
      });
    });

    it('keeps all digits of an ID', async () => {
      await begin();
      const body = event().replace('42', '9007199254740993');
      assert.equal(await post(body), 200);
      await until(() => flow.sent.length > 0);
      const [msg] = flow.sent;
      assert.equal(ionOf(msg).id, '9007199254740993');
      const { row_data } = (msg?.payload ?? {}) as { row_data?: { id: unknown } };
      assert.equal(row_data?.id, '9007199254740993');
    });

    for (const [what, body, headers, status] of [
      ['without a signature', event(), {}, 401],
      ['with a forged signature', event(), { 'x-ion-signature': sign(event(), 'guess') }, 401],
      [
        'whose bytes were changed',
        event({ event_id: 2 }),
        { 'x-ion-signature': sign(event()) },
        401,
      ],
      ['without an event, but 201 levels', '['.repeat(201) + ']'.repeat(201), undefined, 400],
      ['with 20,000 values', `[${'0,'.repeat(20_000)}0]`, undefined, 400],
      ['that is too large', 'x'.repeat(1024 * 1024 + 1), undefined, 413],
      [
        'that is compressed',
        event(),
        { 'x-ion-signature': sign(event()), 'content-encoding': 'gzip' },
        415,
      ],
      ['that is no JSON', '<event/>', undefined, 400],
      ['that is cut', event().slice(0, -5), undefined, 400],
      ['that is no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), undefined, 400],
    ] as const) {
      it(`answers ${status} to one ${what}, and sends nothing`, async () => {
        await begin();
        assert.equal(await post(body, headers as never), status);
        await until(() => flow.status() === 'yellow events.rejected');
        assert.equal(await post(event({ event_id: 9 })), 200);
        await until(() => flow.sent.length > 0);
        assert.deepEqual(
          flow.sent.map((msg) => ionOf(msg).eventId),
          [9],
        );
      });
    }

    it('accepts one of 200 levels, and one with many values', async () => {
      await begin();
      const bodies = [
        event({ event_id: 2, data: JSON.parse('['.repeat(199) + ']'.repeat(199)) }),
        event({ event_id: 3, data: Array.from({ length: 15_000 }, (_, index) => index) }),
      ];
      for (const body of bodies) assert.equal(await post(body), 200);
      await until(() => flow.sent.length === 2);
    });

    /** Sends the head of a request, and a part of its body or none of it. */
    const half = (headers: string[], part: string | Uint8Array = '', path = '/ion/hook') => {
      const socket = connect(server.port, '127.0.0.1');
      const answer = { text: '' };
      socket.on('error', () => {});
      socket.setEncoding('utf8').on('data', (text) => {
        answer.text += text;
      });
      opened({ close: () => socket.destroy() });
      const head = [`POST ${path} HTTP/1.1`, 'host: a', 'content-length: 1048576', ...headers];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(part);
      return answer;
    };
    const forged = `x-ion-signature: ${'a'.repeat(64)}`;

    for (const [what, headers] of [
      ['no signature', []],
      ['an empty one', ['x-ion-signature:']],
      ['one of 31 bytes', [`x-ion-signature: ${'a'.repeat(62)}`]],
      ['one of 33 bytes in base64', [`x-ion-signature: ${'a'.repeat(44)}`]],
      ['something that is none', [`x-ion-signature: ${'?'.repeat(64)}`]],
      ['two', [forged, forged]],
      ['two in one header', [`x-ion-signature: ${'a'.repeat(64)}, ${'a'.repeat(64)}`]],
      ['one of another kind', [`x-ion-signature: sha1=${'a'.repeat(64)}`]],
    ] as const) {
      it(`answers 401 to a request with ${what} before its body arrives`, async () => {
        await begin();
        const answer = half([...headers]);
        await until(() => answer.text !== '');
        assert.match(answer.text, /^HTTP\/1\.1 401 /);
      });
    }

    it('answers 401 before the body arrives if it has no secret', async () => {
      await begin({}, { secret: '' });
      const answer = half([forged]);
      await until(() => answer.text !== '');
      assert.match(answer.text, /^HTTP\/1\.1 401 /);
    });

    it('accepts signed deliveries while unfinished bodies fill the memory of all nodes', async () => {
      const path = '/ion/second';
      await load([
        { via: 'webhook', path: '/ion/hook' },
        { via: 'webhook', id: 'second', path },
      ]);
      await until(() => flow.statuses.length >= 2);
      const part = Buffer.alloc(1024 * 1024 - 1, ' ');
      const answers = Array.from({ length: 40 }, (_, index) =>
        half([forged], part, index % 2 === 0 ? '/ion/hook' : path),
      );
      // The 33rd and later ones each end an older one.
      await until(() => answers.filter(({ text }) => text !== '').length >= 7);
      const statuses = await Promise.all(
        Array.from({ length: 100 }, (_, event_id) => post(event({ event_id }))),
      );
      assert.deepEqual([...new Set(statuses)], [200]);
      await until(() => flow.sent.length === 100);
      for (const { text } of answers.filter((answer) => answer.text !== '')) {
        assert.match(text, /^HTTP\/1\.1 503 .*retry-after: 1/is);
      }
    });

    it('continues when a node of another palette throws on its message', async () => {
      await begin();
      const node = helper.getNode('node');
      const { send } = node;
      node.send = () => {
        throw new Error('Not a message for me.');
      };
      assert.equal(await post(event()), 200);
      await until(() => flow.caught.length > 0);
      assert.match(String(flow.caught[0]?.error.message), /Not a message for me/);
      assert.equal(ionOf(flow.caught[0]).eventId, 1);
      node.send = send;
      assert.equal(await post(event({ event_id: 2 })), 200);
      await until(() => flow.sent.length === 1);
    });

    it('continues when a later handler of a request throws', async () => {
      await begin();
      const [first] = (app as unknown as { _router: { stack: { handle: Handle }[] } })._router
        .stack;
      type Handle = (request: unknown, response: unknown, next: () => void) => void;
      const thrower = opened(
        await httpServer((request, response) => {
          first?.handle(request, response, () => {
            throw new Error('No further.');
          });
        }),
      );
      const headers = { 'x-ion-signature': sign(event()) };
      const response = await fetch(`${thrower.url}/ion/hook`, {
        method: 'POST',
        headers,
        body: event(),
      });
      assert.equal(response.status, 500);
      assert.equal(await post(event()), 200);
    });

    it('answers 503 to a body that is complete when the node is already closed', async () => {
      await begin();
      const body = event();
      const socket = connect(server.port, '127.0.0.1');
      let answered = '';
      socket.setEncoding('utf8').on('data', (text) => {
        answered += text;
      });
      const head = `POST /ion/hook HTTP/1.1\r\nhost: a\r\nx-ion-signature: ${sign(body)}`;
      const coming = once(socket, 'connect');
      socket.write(`${head}\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`);
      await coming;
      // The request has reached the node.
      await until(() => answered.startsWith('HTTP/1.1 100 '));
      await helper.unload();
      socket.write(body);
      await until(() => answered.includes('HTTP/1.1 503 '));
      socket.destroy();
    });

    it('continues when the sender does not wait for the response', async () => {
      await begin({ expectedResponseCode: 204 });
      const body = event();
      const head = `POST /ion/hook HTTP/1.1\r\nhost: a\r\nx-ion-signature: ${sign(body)}`;
      const sockets: Socket[] = [];
      for (let count = 0; count < 20; count++) {
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`, () =>
          socket.resetAndDestroy(),
        );
        sockets.push(socket);
      }
      await until(() => sockets.every(({ destroyed }) => destroyed));
      assert.equal(await post(event({ event_id: 2 })), 204);
    });

    it('drops repeated deliveries, by ID or else by bytes', async () => {
      await begin();
      const withoutId = event({ event_id: undefined });
      for (const body of [event(), event(), withoutId, withoutId, event({ event_id: 2 })]) {
        assert.equal(await post(body), 200);
      }
      await until(() => flow.sent.length >= 3);
      assert.deepEqual(
        flow.sent.map((msg) => ionOf(msg).eventId),
        [1, undefined, 2],
      );
    });

    it('drops other resources and actions, but not unreadable ones', async () => {
      await begin({ expectedResponseCode: 202 });
      assert.equal(await post(event({ event_id: 2, resource: 'runs' })), 202);
      assert.equal(await post(event({ event_id: 3, action: 'delete' })), 202);
      assert.equal(await post('{"what":["ever"]}'), 202);
      await until(() => flow.sent.length > 0);
      assert.deepEqual(
        flow.sent.map(({ payload, topic }) => [payload, topic]),
        [[{ what: ['ever'] }, 'RUN_STEPS']],
      );
    });

    it('answers 503 to more than 500 per second, so that ION repeats them', async () => {
      await begin({ verify: false });
      const bodies = Array.from({ length: 700 }, (_, event_id) => event({ event_id }));
      const statuses = await Promise.all(bodies.map((body) => post(body, {})));
      const taken = statuses.filter((status) => status === 200).length;
      assert.ok(statuses.every((status) => status === 200 || status === 503));
      assert.ok(taken >= 500, `${taken} taken`);
      await until(() => flow.sent.length === taken);
    });

    it('accepts a slow body, and forgets one that breaks off', async () => {
      await begin({ verify: false });
      const begun = connect(server.port, '127.0.0.1');
      begun.write('POST /ion/hook HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"event');
      await once(begun, 'connect');
      begun.destroy();
      assert.equal(await post(event(), {}), 200);
      await until(() => flow.sent.length === 1);
    });

    it('answers 408 to a body that takes longer than 10 s', async () => {
      await begin({ verify: false });
      const slow = connect(server.port, '127.0.0.1');
      slow.on('error', () => {});
      let answered = '';
      slow.setEncoding('utf8').on('data', (text) => {
        answered += text;
      });
      slow.write('POST /ion/hook HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n');
      const drip = setInterval(() => slow.write(' '), 500);
      await until(() => answered !== '');
      clearInterval(drip);
      slow.destroy();
      assert.match(answered, /^HTTP\/1\.1 408 /);
    });

    it('reads the object with the chosen fields', async () => {
      await begin({ fields: ['id', 'title'] });
      const id = stepOf(3);
      data().runSteps.update(id, { title: 'As it is now' });
      await post(event({ row_data: { id } }));
      await until(() => flow.sent.length > 0);
      assert.deepEqual(flow.sent[0]?.payload, { id, title: 'As it is now' });
      assert.equal(ionOf(flow.sent[0]).id, id);
    });

    it('notifies a Catch node if the object cannot be read', async () => {
      await begin({ fields: ['id', 'title'] });
      assert.equal(await post(event({ row_data: { id: 999_999 } })), 200);
      await until(() => flow.caught.length > 0);
      const [msg] = flow.caught;
      assert.equal(msg?.topic, 'RUN_STEPS/UPDATE');
      const { code, id, eventId } = ionOf(msg);
      assert.deepEqual([code, id, eventId], ['ION_NOT_FOUND', 999_999, 1]);
    });

    it('rejects everything without a secret, and says so', async () => {
      await begin({}, { secret: '' });
      assert.equal(flow.status(), 'red events.noSecret');
      assert.equal(await post(event(), { 'x-ion-signature': sign(event(), '') }), 401);
      assert.match(String(flow.caught[0]?.error.message), /secret/);
    });

    it('reports a path that two nodes share, or that another route uses', async () => {
      app.post('/taken/:what', (_request, response) => void response.sendStatus(204));
      const webhook = { via: 'webhook', path: '/ion/hook' };
      await load([
        webhook,
        { ...webhook, id: 'second' },
        { ...webhook, id: 'third', path: '/taken/a' },
      ]);
      await until(() => flow.statuses.length >= 3 && flow.caught.length >= 2);
      assert.equal(flow.status('node'), 'green events.received');
      assert.equal(flow.status('second'), 'red events.pathTaken');
      assert.equal(flow.status('third'), 'red events.pathTaken');
      await post(event());
      await until(() => flow.sent.length > 0);
      assert.equal(flow.sent.length, 1);
    });

    for (const [property, value] of [
      ['path', 5],
      ['path', {}],
      ['path', 'x'],
      ['signatureHeader', {}],
      ['signatureHeader', 'two words'],
      ['actions', 'x'],
      ['actions', [5]],
      ['filters', 'x'],
      ['filters', ['x']],
      ['filters', {}],
      ['fields', 'x'],
      ['fields', [{}]],
      ['resource', 5],
      ['resource', ['RUN_STEPS']],
      ['publicUrl', {}],
    ] as const) {
      it(`reports the invalid ${property} ${JSON.stringify(value)}`, async () => {
        await load({ via: 'webhook', path: '/ion/hook', register: true, [property]: value });
        await until(() => flow.caught.length > 0);
        assert.equal(ionOf(flow.caught[0]).code, 'ION_CONFIG');
        assert.match(String(flow.caught[0]?.error.message), new RegExp(property));
        assert.match(flow.status(), /^red (error\.ION_CONFIG|events\.pathTaken)$/);
      });
    }

    it('accepts a header with the name of a built-in property', async () => {
      await begin({ signatureHeader: '__proto__' });
      assert.equal(await post(event()), 401);
      assert.equal(await post(event(), { constructor: sign(event()) }), 401);
    });

    it('asks ION to retry when it is closed, until the flows start without it', async () => {
      await begin();
      await helper.unload();
      assert.equal(await post(event()), 503);
      await load({});
      assert.equal(await post(event()), 404);
    });

    it('registers itself in ION once, and a change there arrives once', async () => {
      for (let deploys = 0; deploys < 3; deploys++) {
        if (deploys > 0) await helper.unload();
        await subscribe({ fields: ['id', 'title'] });
        await until(() => data().webhookSubscriptions.all().length === 2);
      }
      assert.equal(data().webhookReceivers.all().length, 1);
      const id = stepOf(12);
      data().runSteps.update(id, { title: 'Told' });
      await until(() => flow.sent.length > 0);
      assert.deepEqual(flow.sent[0]?.payload, { id, title: 'Told' });
      await until(() =>
        data()
          .webhookEvents.all()
          .every(({ status }) => status === 'SUCCEEDED'),
      );
      assert.equal(flow.sent.length, 1);
    });

    const receivers = () =>
      data()
        .webhookReceivers.all()
        .map(({ name, webhookUri }) => [name, webhookUri.replace(server.url, '')]);
    const clearReceivers = () => {
      for (const { id } of [...data().webhookReceivers.all()]) data().webhookReceivers.delete(id);
    };
    const warnings = () => {
      const { warn } = helper.getNode('node') as unknown as { warn: { args: [string][] } };
      return warn.args.map(([text]) => text.replace(/^.*log\./, ''));
    };

    it('has one receiver after its path and its public URL were changed', async () => {
      clearReceivers();
      for (const changes of [
        { path: '/ion/one' },
        { path: '/ion/two' },
        { path: '/ion/two', publicUrl: 'http://127.0.0.1:9/' },
      ]) {
        await helper.unload();
        await subscribe(changes);
        const path = changes.publicUrl ? 'http://127.0.0.1:9/ion/two' : changes.path;
        await until(() => receivers().some(([, uri]) => uri === path));
      }
      assert.equal(receivers().length, 1);
    });

    it('leaves a receiver at another address unchanged, says so once, and removes only its own', async () => {
      clearReceivers();
      await subscribe({ path: '/ion/original' });
      await until(() => receivers().length === 1);
      const [own] = data().webhookReceivers.all();
      assert.ok(own);
      const { id: ownId, ...columns } = own;
      // Like a copy of the user folder on another machine.
      const webhookUri = 'https://staging.example.com/ion/original?key=abc';
      const copy = { ...columns, webhookUri, sharedSecret: 'of-the-copy' };
      const { id } = data().webhookReceivers.insert(copy, 1);
      for (let deploys = 0; deploys < 2; deploys++) {
        await helper.unload();
        data().webhookReceivers.update(ownId, { active: false });
        await subscribe({ path: '/ion/original' });
        await until(() => data().webhookReceivers.get(ownId)?.active === true);
        assert.deepEqual(
          data()
            .webhookReceivers.all()
            .map(({ sharedSecret }) => sharedSecret),
          [SECRET, 'of-the-copy'],
        );
        if (deploys === 0) await until(() => warnings().length > 0);
        assert.deepEqual(warnings(), deploys === 0 ? ['webhookElsewhere'] : []);
      }
      await (helper.getNode('node') as unknown as { close(removed: boolean): Promise<void> }).close(
        true,
      );
      assert.deepEqual(
        data()
          .webhookReceivers.all()
          .map((receiver) => receiver.id),
        [id],
      );
      clearReceivers();
    });

    it('reports that it cannot register, and retries', async () => {
      const fault = { target: 'api', kind: 'graphql', match: 'webhookReceivers' } as const;
      context.sandbox.control.fault({ ...fault, errors: [{ message: 'Not today' }] });
      await subscribe({ path: '/ion/again' });
      await until(() => flow.status() === 'red events.notRegistered');
      assert.match(String(flow.caught[0]?.error.message), /Not today/);
      await until(() => flow.status() === 'green events.received');
    });
  });

  it('reports a missing config node', async () => {
    await load({ config: 'gone', interval: 0.1 });
    await until(() => flow.caught.length > 0);
    assert.match(String(flow.caught[0]?.error.message), /has no ION config node/);
  });
});
