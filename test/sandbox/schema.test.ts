import assert from 'node:assert/strict';
import {
  type GraphQLField,
  type GraphQLInputField,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { referred } from '../../sandbox/graphql/members.js';
import { notSimulated, ownRules } from '../../sandbox/graphql/mutations/index.js';
import * as resolvers from '../../sandbox/graphql/resolvers.js';
import { fieldsOf, isStored, nodeType, schema } from '../../sandbox/graphql/schema.js';
import { start, type TestSandbox } from './client.js';

type Field = GraphQLField<unknown, unknown>;
type Fields = Record<string, Field>;

const queries = schema.getQueryType()?.getFields() as Fields;
const mutations = schema.getMutationType()?.getFields() as Fields;
const lists = Object.values(queries).filter((field) => nodeType(getNamedType(field.type)));
/** Queries for one row, by its id or by the columns that identify it. */
const gets = Object.values(queries).filter(
  ({ args, type }) =>
    isStored(getNamedType(type).name) &&
    args.length > 0 &&
    args.every((each) => isNonNullType(each.type)),
);
const STALE = '0'.repeat(32);

/** Queries and mutations that the sandbox refuses with a clear error, by the reason. */
const REFUSED: Record<string, string[]> = {
  'they move or divide quantities by rules that are not public': [
    'splitPartInventory',
    'splitManyPartInventory',
    'mergePartInventory',
    'issueItemToKit',
    'moveItemToInventory',
    'addPartsToKitFromMbom',
    'splitUnfulfilledPartKit',
    'convertResultsFromPlanItem',
    'convertResultsFromPlanItems',
  ],
  'they change what has been built or approved, by rules that are not public': [
    'copyStepToRun',
    'mergeRunStep',
    'mergeRunStepToProcedure',
    'mergeRunStepToRuns',
    'resetIssueApprovals',
  ],
  'they need versions of standard steps or PDF files, which the sandbox does not have': [
    'copyStandardStep',
    'createStandardStepVersion',
    'importStepsFromPdf',
  ],
  'they take several operations in one input': [
    'runStepDatagridOperations',
    'stepDatagridOperations',
  ],
  'they need the numbering schemes or label templates of an organization': [
    'createOrganizationGlobalUniqueSerialNumberScheme',
    'updateOrganizationGlobalUniqueSerialNumberScheme',
    'deleteOrganizationGlobalUniqueSerialNumberScheme',
    'createOrganizationPartRevisionScheme',
    'updateOrganizationPartRevisionScheme',
    'deleteOrganizationPartRevisionScheme',
    'globalUniqueSerialNumber',
    'barcodeTemplateFieldOptions',
  ],
  'they use another service': [
    'generateReadEmbeddedAnalytics',
    'generateWriteEmbeddedAnalytics',
    'generateRunSummary',
    'prismaticIntegration',
    'resendInvite',
  ],
};

/** Every leaf of a type that needs no argument, and each relation as far as its type's name. */
function selection(type: string): string {
  return Object.values(fieldsOf(type))
    .filter(({ args }) => !args.some((argument) => isNonNullType(argument.type)))
    .map(({ name, type: of }) => (isLeafType(getNamedType(of)) ? name : `${name} { __typename }`))
    .join(' ');
}

describe('sandbox: the public schema', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 24 });
  });
  after(() => sandbox.close());

  it('has 152 queries and 350 mutations, which are served or refused for a reason', async () => {
    assert.equal(Object.keys(queries).length, 152);
    assert.equal(Object.keys(mutations).length, 350);
    const refused = [...resolvers.notSimulated(), ...notSimulated];
    assert.deepEqual(refused.sort(), Object.values(REFUSED).flat().sort());
  });

  for (const { name, type, args } of lists) {
    const node = nodeType(getNamedType(type))?.name ?? '';

    it(`lists ${name} with every scalar, sorted by every name`, async () => {
      const text = `{ ${name}(first: 3) { pageInfo { hasNextPage } edges { node { ${selection(node)} } } } }`;
      const { edges } = (await sandbox.ask(text))[name];
      for (const kind of ['sort', 'distinctOn']) {
        const sort = args.find((argument) => argument.name === kind);
        const values = sort && getNamedType(sort.type);
        if (!isEnumType(values)) continue;
        const sorts = values.getValues().map((value) => value.name);
        const sorted = sorts.map(
          (each, i) => `s${i}: ${name}(${kind}: [${each}]) { pageInfo { hasNextPage } }`,
        );
        await sandbox.ask(`{ ${sorted.join(' ')} }`);
      }
      const get = gets.find((field) => getNamedType(field.type).name === node);
      const [first] = edges;
      if (!get) return;
      const row = sandbox.data.table(node).all()[0] as unknown as Key | undefined;
      if (first && row) assert.deepEqual(await ask(sandbox, get, row), first.node);
      assert.equal(await ask(sandbox, get, {}), null);
    });
  }

  for (const create of Object.values(mutations)) {
    const target = createdType(create);
    if (!target) continue;
    it(`${create.name} makes a row that is listed, changed and deleted`, async () => {
      const trip = new RoundTrip(sandbox, target);
      const row = await trip.create(create);
      await trip.isListed(row);
      await trip.change(row);
      await trip.remove(row);
    });
  }
});

/** The answer of a query for one row; of one that does not exist without the row. */
async function ask(sandbox: TestSandbox, { name, args, type }: Field, row: Key) {
  const passed = args.map((each) => {
    const of = getNamedType(each.type);
    const values = isEnumType(of) ? of.getValues() : [];
    // The argument has a shorter name than the column.
    const value = row[each.name] ?? (values.length > 0 ? row.issueApprovalGateType : undefined);
    return `${each.name}: ${value ?? values[0]?.name ?? 999999}`;
  });
  const text = `{ ${name}(${passed}) { ${selection(getNamedType(type).name)} } }`;
  return (await sandbox.ask(text))[name];
}

/** The type of the row that a regular creation makes. */
function createdType({ name, type }: Field): string | undefined {
  if (!/^create/.test(name) || ownRules.has(name) || notSimulated.includes(name)) return undefined;
  const payload = getNamedType(type);
  const [member] = isObjectType(payload) ? Object.values(payload.getFields()) : [];
  if (!member || isListType(getNullableType(member.type))) return undefined;
  return getNamedType(member.type).name;
}

type Key = Record<string, unknown> & { etag?: string };

/** The life of one row over the API. */
class RoundTrip {
  constructor(
    private readonly sandbox: TestSandbox,
    private readonly type: string,
  ) {}

  async create(field: Field): Promise<Key> {
    const args = await this.#args(field);
    const [member = ''] = Object.keys(fieldsOf(getNamedType(field.type).name));
    const answer = await this.#run(field, args);
    const row = answer[member];
    assert.ok(row, `${field.name} has made no row`);
    return row;
  }

  async isListed(row: Key): Promise<void> {
    const get = gets.find((field) => getNamedType(field.type).name === this.type);
    if (get) assert.deepEqual(await ask(this.sandbox, get, row), row);
    const list = lists.find(({ type }) => nodeType(getNamedType(type))?.name === this.type);
    if (!list) return;
    const filters = list.args.find(({ name }) => name === 'filters');
    const known = filters && getNamedType(filters.type);
    const byId = isInputObjectType(known) && 'id' in known.getFields();
    const filter = !byId ? '' : `(filters: { id: { eq: "${row.id}" } })`;
    const text = `{ ${list.name}${filter} { edges { node { ${selection(this.type)} } } } }`;
    const { edges } = (await this.sandbox.ask(text))[list.name];
    assert.deepEqual(edges.at(-1).node, row);
  }

  async change(row: Key): Promise<void> {
    const update = Object.values(mutations).find((field) => this.#is(field, /^update/));
    if (!update || ownRules.has(update.name)) return;
    const input = await this.#keys(update, row);
    const refused = await this.#refusal(update, { ...input, etag: STALE });
    assert.equal(refused, 'Etag does not match');
    const [member = ''] = Object.keys(fieldsOf(getNamedType(update.type).name));
    const changed = (await this.#run(update, wrapped(update, { ...input, etag: etagOf(row) })))[
      member
    ];
    assert.notEqual(etagOf(changed), etagOf(row));
    row._etag = etagOf(changed);
    row.Etag = etagOf(changed);
  }

  async remove(row: Key): Promise<void> {
    const name = `delete${this.#suffix()}`;
    const field = mutations[name];
    if (!field || ownRules.has(name)) return;
    const keys = await this.#keys(field, row);
    if (inputsOf(field).etag) {
      assert.equal(await this.#refusal(field, { ...keys, etag: STALE }), 'Etag does not match');
      keys.etag = etagOf(row);
    }
    await this.#run(field, wrapped(field, keys));
    assert.match(await this.#refusal(field, keys), /was not found/);
  }

  #suffix(): string {
    const create = Object.values(mutations).find((field) => createdType(field) === this.type);
    return create?.name.slice('create'.length) ?? '';
  }

  #is({ name, type }: Field, verb: RegExp): boolean {
    const payload = fieldsOf(getNamedType(type).name);
    const [member] = Object.values(payload);
    return verb.test(name) && !!member && getNamedType(member.type).name === this.type;
  }

  async #keys(field: Field, row: Key): Promise<Record<string, unknown>> {
    const keys: Record<string, unknown> = {};
    for (const [name, input] of Object.entries(inputsOf(field))) {
      if (name === 'etag' || !isNonNullType(input.type)) continue;
      keys[name] = row[name] ?? (await this.#value(name, input));
    }
    return keys;
  }

  async #args(field: Field): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [name, input] of Object.entries(inputsOf(field))) {
      const value = await this.#value(name, input);
      if (value !== undefined) values[name] = value;
    }
    return wrapped(field, values);
  }

  /** A value that the type of an input allows; the id of a row that exists for a relation. */
  async #value(name: string, { type }: Pick<GraphQLInputField, 'type'>): Promise<unknown> {
    const named = getNamedType(type);
    const target = /.Id$/.test(name) ? referred(this.type, name) : undefined;
    if (target) return this.#existing(target);
    if (name === 'entityId') return 11;
    if (isListType(getNullableType(type)) || isInputObjectType(named)) return undefined;
    if (isEnumType(named)) return named.getValues()[0]?.name;
    const value = VALUES[named.name];
    return isNonNullType(type) || value !== undefined ? value : undefined;
  }

  async #existing(type: string): Promise<number | undefined> {
    // The last row: the seed joins the first ones already.
    const row = isStored(type) ? this.sandbox.data.table(type).all().at(-1) : undefined;
    if (row) return row.id;
    const { id } = this.sandbox.data.table(type).insert({});
    return id;
  }

  async #run(field: Field, args: Record<string, unknown>) {
    return (await this.sandbox.ask(document(field), args))[field.name];
  }

  #refusal(field: Field, keys: Record<string, unknown>): Promise<string> {
    return this.sandbox.refusal(document(field), wrapped(field, keys));
  }
}

const VALUES: Record<string, unknown> = {
  String: 'Example',
  ID: '1',
  Int: 1,
  Float: 1.5,
  Boolean: true,
  DateTime: '2026-01-02T03:04:05+00:00',
  ScalarValue: 'Example',
  SlateContent: {},
  JSONString: '{}',
};

function etagOf(row: Key): string {
  return String(row._etag ?? row.Etag);
}

function inputsOf({ args }: Field): Record<string, Pick<GraphQLInputField, 'type'>> {
  const [only] = args;
  const input = only && args.length === 1 ? getNamedType(only.type) : undefined;
  if (isInputObjectType(input)) return input.getFields();
  return Object.fromEntries(args.map((argument) => [argument.name, argument]));
}

function wrapped({ args }: Field, values: Record<string, unknown>): Record<string, unknown> {
  const [only] = args;
  const isWrapped = only && args.length === 1 && isInputObjectType(getNamedType(only.type));
  return isWrapped ? { [only.name]: values } : values;
}

function document({ name, args, type }: Field): string {
  const variables = args.map((each) => `$${each.name}: ${each.type}`).join(', ');
  const passed = args.map((each) => `${each.name}: $${each.name}`).join(', ');
  const members = Object.values(fieldsOf(getNamedType(type).name)).map(
    ({ name: member, type: of }) =>
      isLeafType(getNamedType(of)) ? member : `${member} { ${selection(getNamedType(of).name)} }`,
  );
  return `mutation(${variables}) { ${name}(${passed}) { ${members.join(' ')} } }`;
}
