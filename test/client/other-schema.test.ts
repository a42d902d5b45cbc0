import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  Kind,
  TypeInfo,
  type TypeNode,
  typeFromAST,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { IonClient, type RequestOptions } from '../../nodes/client/client.js';
import { toIonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { ChangeFeed, checkpointNow } from '../../nodes/client/lists/change-feed.js';
import { resourceNamed, runs } from '../../nodes/client/lists/resources.js';
import { readRow } from '../../nodes/client/lists/row-by-id.js';
import { readRows } from '../../nodes/client/lists/rows.js';
import { fileOf } from '../../nodes/client/steps/attachment-file.js';
import { StepWriter } from '../../nodes/client/steps/step-writer.js';
import { register, unregister } from '../../nodes/client/webhooks/registration.js';
import { WorkFinder } from '../../nodes/client/work/work-finder.js';
import { testConnection } from '../../nodes/config/admin/connection-test.js';
import { findTargets } from '../../nodes/config/admin/find-targets.js';
import { OPTIONAL_PARTS } from '../support/dialects.js';
import { failure } from '../support/errors.js';
import { withoutPauses } from '../support/pauses.js';
import { clientSettings, type SandboxInTests, useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests } from '../support/steps.js';

const schema = buildSchema(
  readFileSync(join(__dirname, '../../sandbox/graphql/schema.graphql'), 'utf8'),
);
const { signal } = new AbortController();
const OPTIONS = { signal, onConflict: 'retry' } as const;
const OWNER = { nodeId: 'node1', instanceId: 'instance1' };
const URI = 'http://127.0.0.1:9/ion/node1';
const REGISTRATION = {
  ...OWNER,
  webhookUri: URI,
  formerUris: [],
  sharedSecret: 'example-secret',
  expectedResponseCode: 200,
  resource: 'RUN_STEPS',
  actions: ['CREATE', 'UPDATE'],
};

type Action = (client: IonClient, step: StepForTests) => Promise<unknown>;

async function rowsOf(client: IonClient, name = 'RUNS'): Promise<unknown[]> {
  const resource = resourceNamed(name) ?? runs;
  const query = { filters: [], fields: ['id'], sort: [] };
  const ids: unknown[] = [];
  for await (const { rows } of readRows(client, resource, query, { ...PAGES, signal })) {
    ids.push(...rows.map(({ id }) => id));
  }
  return ids;
}
const PAGES = { pageSize: 1000, limit: 0 };

/** Everything that the package sends by documents of its own. */
const actionsOf = (ion: SandboxInTests): Record<string, Action> => ({
  'a value by names': (client, { run }) =>
    new StepWriter(client).writeField(
      { run, step: 'Example step', field: 'Torque' },
      12.5,
      OPTIONS,
    ),
  'a value by the ID of its field': (client, { fields }) =>
    new StepWriter(client).writeField({ field: fields.Torque }, 12.5, OPTIONS),
  'a value of a step that is started': (client, { step }) =>
    new StepWriter(client).writeField({ step, field: 'Torque' }, 1, {
      ...OPTIONS,
      startStep: true,
    }),
  'a status': (client, { step }) =>
    new StepWriter(client).writeStatus({ step }, 'COMPLETE', OPTIONS),
  'the run of a field': (client, { fields }) =>
    new StepWriter(client).runOf({ field: fields.Torque }, OPTIONS),
  'an attachment': async (client, { step }) => {
    const writer = new StepWriter(client);
    await writer.attachmentsOf({ step }, 'a.txt', OPTIONS);
    await writer.attach({ step }, fileOf('a.txt', 'text'), OPTIONS);
  },
  'the check of the outbox': (client) => new StepWriter(client).check(OPTIONS),
  'a webhook receiver': async (client) => {
    for (let times = 0; times < 2; times++) await register(client, REGISTRATION, signal);
    await unregister(client, OWNER, [URI], signal);
  },
  'a list': (client) => rowsOf(client),
  'the connection test': async () => {
    const RED = { nodes: { getNode: () => null } } as never;
    const { environment, apiUrl, authUrl, key } = clientSettings(ion.sandbox);
    const config = { environment, apiUrl, authUrl, allowHttp: true };
    await testConnection(RED, { id: 'config', config, credentials: key }, signal);
  },
  'the changes of runs': async (client) => {
    const query = { filters: [], fields: ['id'], sort: [] };
    const options = { pageSize: 1000, signal };
    const checkpoint = await checkpointNow(client, runs, query, options);
    for await (const _ of new ChangeFeed(runs, checkpoint).read(client, query, options));
  },
  'a row by its ID': (client, { run }) =>
    readRow(client, runs, run, { filters: [], fields: ['id'], sort: [] }, signal),
  'the search of the dialog': async (client, { run, step }) => {
    const RED = { nodes: { getNode: () => ({ type: 'ion-config', client }) } } as never;
    const found = await findTargets(RED, 'config', { kind: 'run', search: String(run) }, signal);
    assert.equal(found.found[0]?.id, String(run));
    await findTargets(RED, 'config', { kind: 'run', search: 'e' }, signal);
    await findTargets(RED, 'config', { kind: 'run', search: 'todo' }, signal);
    await findTargets(RED, 'config', { kind: 'step', search: '', run }, signal);
    await findTargets(RED, 'config', { kind: 'field', search: '', step }, signal);
  },
  'the look-ups': async (client) => {
    const finder = new WorkFinder(client);
    for (const query of LOOK_UPS) {
      const whole = { part: '', step: '', ...query, fields: true };
      const { answer } = await finder.find(whole, { signal });
      assert.ok(answer.found === 'one', `${query.value}: ${JSON.stringify(answer)}`);
      assert.equal(answer.work.run.id, 7);
      assert.ok(answer.work.fields);
    }
    for (const value of ['5', 'Kitting', 'LOC:Kitting']) {
      const by = value.startsWith('LOC') ? 'barcode' : 'location';
      await finder.find({ by, value, part: '', step: '', fields: false }, { signal });
    }
  },
});

/** Values that all mean the work on the unit 7. */
const LOOK_UPS = [
  { by: 'serial', value: 'SN-00007', part: 'EX-1001', step: 'kit parts' },
  { by: 'serial', value: 'SN-00007' },
  { by: 'run', value: '7' },
  { by: 'run', value: 'Example bracket assembly 0007', step: 'Kit parts' },
  { by: 'barcode', value: 'SN-00007' },
  { by: 'barcode', value: '{"uid":"5ca1ab1e000000000000000000000071"}' },
] as const;

/** Parts without which an attachment takes the older way of ION. */
const OLDER_WAY = /^(Query\.requestFileUploadUrl|FileUploadUrl\.|CreateFileAttachmentInput\.s3)/;

/** Columns of a step that only these actions need; their errors name them. */
const NEEDED_COLUMNS: Record<string, string> = {
  'an attachment': 'RunStep.entityId',
  'a status': 'RunStep._etag',
  'a value of a step that is started': 'RunStep.status',
};

interface Sent {
  operation: Operation;
  options: RequestOptions;
}

interface Parts {
  wished: Set<string>;
  needed: Set<string>;
}

/** The parts of a request as ION's schema names them. */
function collectParts({ operation, options }: Sent, parts: Parts): void {
  const { document, definition, wishes } = operation;
  const typeInfo = new TypeInfo(schema);
  const setOf = (node: object) => parts[wishes?.nodes.has(node as never) ? 'wished' : 'needed'];
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Field(node) {
        if (node.name.value === '__typename') return;
        const part = `${typeInfo.getParentType()?.name}.${node.name.value}`;
        setOf(node).add(part);
        for (const argument of node.arguments ?? []) {
          setOf(argument).add(`${part}(${argument.name.value}:)`);
        }
      },
      Argument(node) {
        const type = getNamedType(typeInfo.getInputType());
        if (!isEnumType(type)) return;
        const { value } = node;
        const given =
          value.kind === Kind.VARIABLE
            ? options.variables?.[value.name.value]
            : valueFromASTUntyped(value);
        for (const each of [given ?? []].flat()) setOf(node).add(`${type.name}.${each}`);
      },
    }),
  );
  const { input } = options.variables ?? {};
  const inputType = definition.variableDefinitions?.map(({ type }) => namedTypeOf(type))[0];
  for (const name of Object.keys(input ?? {})) {
    if (!wishes?.inputs.includes(`input.${name}`)) parts.needed.add(`${inputType}.${name}`);
  }
  for (const path of wishes?.inputs ?? []) {
    const [variable, ...names] = path.split('.');
    const found = definition.variableDefinitions?.find(
      (each) => each.variable.name.value === variable,
    );
    let type = found && getNamedType(typeFromAST(schema, found.type as never));
    for (const name of names.slice(0, -1)) {
      if (isInputObjectType(type)) type = getNamedType(type.getFields()[name]?.type);
    }
    parts.wished.add(`${type?.name}.${names.at(-1)}`);
  }
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}

describe('an ION with another schema', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 60 });
  const actions = actionsOf(ion);

  const newStep = () =>
    makeStep(ion.client(), [{ name: 'Torque', type: 'NUMBER' }], { title: 'Example step' });

  /** The result of an action against a schema without this part. */
  async function run(action: Action, unknown: readonly string[]) {
    const { control } = ion.sandbox;
    const step = await newStep();
    const client = ion.client();
    const sent: Sent[] = [];
    const lacks: unknown[] = [];
    const { request } = IonClient.prototype;
    // The connection test has a client of its own.
    IonClient.prototype.request = async function (operation, options) {
      sent.push({ operation, options });
      const response = await request.call(this, operation, options);
      lacks.push(...this.lacks);
      return response;
    };
    control.resetCounters();
    control.set({ unknown });
    try {
      const error = await action(client, step).then(() => undefined, toIonError);
      return { error, sent, executed: control.counters().executed, lacks };
    } finally {
      IonClient.prototype.request = request;
      control.set({ unknown: [] });
    }
  }

  async function partsOf(action: Action): Promise<Parts & { executed: Record<string, number> }> {
    const { error, sent, executed } = await run(action, []);
    assert.equal(error, undefined);
    const parts: Parts = { wished: new Set(), needed: new Set() };
    for (const each of sent) collectParts(each, parts);
    const [name = ''] = Object.entries(actions).find((each) => each[1] === action) ?? [];
    const column = NEEDED_COLUMNS[name];
    if (column) parts.needed.add(column);
    for (const part of parts.needed) parts.wished.delete(part);
    return { ...parts, executed };
  }

  it('is tried without each of these parts in a real Node-RED, too', async () => {
    const wished = new Set<string>();
    for (const action of Object.values(actions)) {
      for (const part of (await partsOf(action)).wished) wished.add(part);
    }
    assert.deepEqual([...wished].sort(), OPTIONAL_PARTS.toSorted());
  });

  for (const [name, action] of Object.entries(actions)) {
    it(`may lack every wished part of ${name}`, async () => {
      const { wished, executed } = await partsOf(action);
      for (const part of wished) {
        const result = await run(action, [part]);
        assert.equal(result.error?.message, undefined, part);
        assert.deepEqual(result.executed, executed, `${part}: a mutation is not executed twice`);
        assert.ok(result.lacks.length > 0, part);
      }
    });

    it(`is named with each part of ${name} that is needed`, async () => {
      const { needed } = await partsOf(action);
      assert.ok(needed.size > 0);
      for (const part of needed) {
        const { error, executed } = await run(action, [part]);
        if (OLDER_WAY.test(part)) {
          assert.equal(error?.message, undefined, part);
          continue;
        }
        assert.ok(error, `without ${part}`);
        const code = part === NEEDED_COLUMNS[name] ? 'ION_RESPONSE' : 'ION_GRAPHQL';
        assert.equal(error.code, code, part);
        const [, type, field] = /^(\w+)\.(.*)$/.exec(part) ?? [];
        assert.ok(error.message.includes(`"${field}" of type "${type}"`), error.message);
        assert.ok(Object.values(executed).every((count) => count < 3));
      }
    });
  }

  it('may lack all wished parts at once, which costs one request per document, once', async () => {
    const action = actions['a value by names'] as Action;
    const { wished } = await partsOf(action);
    const { control } = ion.sandbox;
    const [first, second] = [await newStep(), await newStep()];
    const client = ion.client();
    control.set({ unknown: [...wished] });
    control.resetCounters();
    await action(client, first);
    assert.equal(control.counters().api.total, 6, 'three documents, each of them twice');
    control.resetCounters();
    await action(client, second);
    assert.equal(control.counters().api.total, 3);
    const { lacks } = client;
    const named = lacks.map(({ type, field }) => `${type}.${field}`);
    assert.deepEqual(named.sort(), [...wished].sort());
  });

  it('is named if nothing can be selected in place of a part, because introspection is off', async () => {
    const { control } = ion.sandbox;
    control.set({ introspection: false });
    const { error } = await run(actions['a webhook receiver'] as Action, [
      'CreateWebhookSubscription.webhookSubscription',
    ]);
    control.set({ introspection: true });
    assert.match(
      String(error?.message),
      /"webhookSubscription" of type "CreateWebhookSubscription"/,
    );
  });

  it('lacks nothing for other messages if a user chose a field that does not exist', async () => {
    const client = ion.client();
    const read = async (...fields: string[]) => {
      const wished = ['_etag', 'title'];
      const query = { filters: [], fields: ['id', ...wished, ...fields], wished, sort: [] };
      for await (const { rows } of readRows(client, runs, query, { ...PAGES, signal })) return rows;
      return [];
    };
    for (const field of ['attributes._etag', 'part.title']) {
      assert.equal((await failure(read(field), 'ION_GRAPHQL')).attempts, 1);
    }
    assert.deepEqual(client.lacks, []);
    assert.ok((await read())[0]?.title);
  });
});
