import assert from 'node:assert/strict';
import { configMigrations } from '../../nodes/migrations/ion-config.js';
import { eventsMigrations } from '../../nodes/migrations/ion-events.js';
import { graphqlMigrations } from '../../nodes/migrations/ion-graphql.js';
import { lookupMigrations } from '../../nodes/migrations/ion-lookup.js';
import { runsMigrations } from '../../nodes/migrations/ion-runs.js';
import { stepMigrations } from '../../nodes/migrations/ion-step.js';
import {
  currentVersion,
  fillIn,
  isNewer,
  migrate,
  type NodeMigrations,
} from '../../nodes/migrations/migrate.js';
import { lookupNode } from '../../tools/flow-nodes.js';
import flows from './nodes-of-1.0.0.json';

const all = new Map<string, NodeMigrations>(
  [configMigrations, eventsMigrations, graphqlMigrations, runsMigrations, stepMigrations].map(
    (each) => [each.type, each],
  ),
);

/** A node type whose timeout was renamed in version 2, and is in milliseconds since version 3. */
const renamed: NodeMigrations = {
  type: 'ion-test',
  steps: [
    fillIn({ wait: 30 }),
    ({ wait, ...rest }) => ({ ...rest, timeout: wait }),
    ({ timeout, ...rest }) => ({ ...rest, timeout: Number(timeout) * 1000 }),
  ],
};

describe('the migration of a node', () => {
  for (const [file, nodes] of Object.entries(flows)) {
    it(`keeps all properties of the nodes of 1.0.0 in ${file}`, () => {
      for (const node of nodes) {
        const migrations = all.get(node.type);
        assert.ok(migrations, node.type);
        assert.ok(!('version' in node));
        const migrated = migrate(migrations, Object.freeze(node));
        assert.deepEqual({ ...migrated, ...node }, migrated);
        assert.equal(migrated.version, currentVersion(migrations));
        assert.deepEqual(migrate(migrations, migrated), migrated);
      }
    });
  }

  it('runs the steps that the saved version lacks, in their order', () => {
    const migrated = { timeout: 5000, version: 3 };
    assert.deepEqual(migrate(renamed, { wait: 5 }), migrated);
    assert.deepEqual(migrate(renamed, { wait: 5, version: 1 }), migrated);
    assert.deepEqual(migrate(renamed, { timeout: 5, version: 2 }), migrated);
    assert.deepEqual(migrate(renamed, { timeout: 5000, version: 3 }), migrated);
    assert.deepEqual(migrate(renamed, {}), { timeout: 30_000, version: 3 });
  });

  it('keeps the form of the token that a config node saved, and finds it out for one without', () => {
    for (const authScheme of ['raw', 'bearer', 'auto']) {
      assert.equal(migrate(configMigrations, { authScheme }).authScheme, authScheme);
    }
    assert.equal(migrate(configMigrations, {}).authScheme, 'auto');
  });

  it('gives a node of ion-step the result property that it had', () => {
    const { output } = migrate(stepMigrations, { action: 'field', version: 1 });
    assert.equal(output, 'payload');
  });

  describe('of ion-lookup', () => {
    const { id, type, name, config, version, ...defaults } = lookupNode;

    it('gives a node from a hand-written flow the defaults of the dialog', () => {
      assert.deepEqual(migrate(lookupMigrations, {}), { ...defaults, version });
    });

    it('changes nothing that the dialog saved, or that a flow sets', () => {
      assert.deepEqual(migrate(lookupMigrations, lookupNode), lookupNode);
      const set = { by: 'run', value: '', valueType: 'str', fields: false, remember: 0 };
      const migrated = migrate(lookupMigrations, set);
      assert.deepEqual({ ...migrated, ...set }, migrated);
      const other = migrate(lookupMigrations, { value: 'topic', valueType: 'msg' });
      assert.deepEqual([other.value, other.valueType], ['topic', 'msg']);
    });

    it('takes the value as the name of a message property if its type is missing', () => {
      const { value, valueType } = migrate(lookupMigrations, { value: 'topic' });
      assert.deepEqual([value, valueType], ['topic', 'msg']);
    });
  });

  for (const migrations of [graphqlMigrations, runsMigrations]) {
    it(`keeps the page size of ${migrations.type}, and 100 of a node without one`, () => {
      for (const pageSize of [100, '100', 2500, '${PAGE_SIZE}', 'auto', '']) {
        for (const version of [undefined, 1]) {
          assert.equal(migrate(migrations, { pageSize, version }).pageSize, pageSize);
        }
      }
      for (const pageSize of [undefined, null]) {
        assert.equal(migrate(migrations, { pageSize }).pageSize, 100);
      }
    });
  }

  it('leaves the properties of a later version alone', () => {
    const later = { wait: 5, version: 4 };
    assert.equal(migrate(renamed, later), later);
    assert.ok(isNewer(renamed, later));
    assert.ok(!isNewer(renamed, { version: 3 }));
  });

  it('takes a version that is no whole number for none', () => {
    for (const version of ['2', 1.5, -1, Number.NaN, Infinity, null, {}, [2], true]) {
      assert.deepEqual(migrate(renamed, { wait: 5, version }), { timeout: 5000, version: 3 });
    }
  });

  it('writes down what a missing property meant, and changes no other', () => {
    const fill = fillIn({ text: 'a', list: ['b'], number: 3, on: true });
    const filled = { text: 'a', list: ['b'], number: 3, on: true };
    assert.deepEqual(fill({}), filled);
    assert.deepEqual(fill({ text: null, list: null, number: null, on: null }), filled);
    assert.deepEqual(fill({ text: '', list: '', number: '', on: '' }), {
      ...filled,
      ...{ list: '', number: '' },
    });
    const set = { text: 'x', list: [], number: 0, on: false, other: undefined };
    assert.deepEqual(fill(set), set);
    const [first, second] = [fill({}), fill({})];
    assert.notEqual(first.list, second.list);
  });
});
