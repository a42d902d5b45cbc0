import { createContext, Script } from 'node:vm';
import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { type EntityType, entityId, entityTypes } from '../data/entities.js';
import type { Row } from '../data/model.js';
import type { LabelRow } from '../data/record-fields.js';
import type { Store } from '../data/store.js';
import { member, rowsOf } from './members.js';
import { fieldsOf } from './schema.js';

/** Milliseconds that one pattern, and all patterns together, may take for one code. */
const PATTERN_BUDGET = 1000;
const BUDGET = 3 * PATTERN_BUDGET;

/** The types of things that labels and patterns are about, by their names in Barcodeentitytypeenum. */
const SCANNED: Readonly<Record<string, EntityType>> = {
  LOCATIONS: 'Location',
  PARTS_INVENTORY: 'PartInventory',
  PARTS_KITS: 'PartKit',
  RUNS: 'Run',
};

interface Entity {
  id: number;
  type: string;
}

interface PatternRow extends Row {
  expression: string;
  entityType?: string | null;
}

/**
 * Everything that a scanned code means. The JSON of ION's own labels means what the label is on; any
 * other text means what the patterns of the organization find. An unknown code means nothing.
 */
export function scanBarcode(code: string, store: Store): { entities: Entity[] } {
  const uid = uidIn(code);
  const entities = uid === undefined ? matched(code, store) : labelled(uid, store);
  // Two patterns may find the same thing.
  return { entities: [...new Map(entities.map((entity) => [entity.id, entity])).values()] };
}

/** The value of `uid` in the JSON of a label; undefined for any other text, such as a number. */
function uidIn(text: string): unknown {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === 'object' && json !== null && 'uid' in json ? json.uid : undefined;
  } catch {
    return undefined;
  }
}

function labelled(uid: unknown, store: Store): Entity[] {
  const label = (store.table('BarcodeLabel').all() as readonly LabelRow[]).find(
    ({ iuid }) => iuid === uid,
  );
  const found = label && store.entity(label.entityId);
  return found ? [{ id: label.entityId, type: entityTypes[found.type] }] : [];
}

function matched(code: string, store: Store): Entity[] {
  const patterns = store.table('BarcodePattern').all() as readonly PatternRow[];
  const end = performance.now() + BUDGET;
  return patterns.flatMap(({ expression, entityType }) => {
    const type = SCANNED[entityType ?? ''];
    const values =
      type && capture(expression, code, Math.min(PATTERN_BUDGET, end - performance.now()));
    return values ? find(type, values, store) : [];
  });
}

const matching = Object.assign(createContext(), { expression: /^$/, code: '' });
const match = new Script('expression.exec(code)');

/**
 * The texts that the named groups of an expression take from a code; undefined if it does not match in time.
 * Only code in a context can be interrupted, and an expression may take years.
 * @param timeout in milliseconds
 */
function capture(
  expression: string,
  code: string,
  timeout: number,
): Record<string, string | undefined> | undefined {
  if (timeout < 1) return undefined;
  try {
    Object.assign(matching, { expression: compile(expression), code });
    const found = match.runInContext(matching, { timeout: Math.ceil(timeout) });
    return (found as RegExpExecArray | null)?.groups;
  } catch {
    // The expression is not valid, or took too long.
    return undefined;
  }
}

/** Python's spelling of a named group and of a reference to one is not JavaScript's. */
function compile(expression: string): RegExp {
  const source = expression.replace(
    /\\[\s\S]|\(\?P<|\(\?P=(\w+)\)/g,
    (text, name: string | undefined) => {
      if (name !== undefined) return `\\k<${name}>`;
      return text === '(?P<' ? '(?<' : text;
    },
  );
  return new RegExp(`^(?:${source})$`);
}

/** The rows of a type that have all the values which an expression has taken from a code. */
function find(
  type: EntityType,
  values: Record<string, string | undefined>,
  store: Store,
): Entity[] {
  const wanted = Object.entries(values).filter(([, value]) => value !== undefined);
  const tests = wanted.map(([name, value]) => memberTest(type, name, value ?? ''));
  if (tests.length === 0) return [];
  return rowsOf(type, store)
    .filter((row) => tests.every((test) => test(row, store)))
    .map(({ id }) => ({ id: entityId(type, id), type: entityTypes[type] }));
}

type Test = (row: Row, store: Store) => boolean;

const MODES: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  prefix: (value, wanted) => value.startsWith(wanted),
  suffix: (value, wanted) => value.endsWith(wanted),
  contains: (value, wanted) => value.includes(wanted),
};

/** The test of a member such as `serialNumber`, `part_partNumber` or `serialNumber__suffix`. */
function memberTest(type: EntityType, group: string, wanted: string): Test {
  const [, name = '', mode] = /^(.+?)(?:__(prefix|suffix|contains))?$/.exec(group) ?? [];
  const read = reader(type, name);
  // An empty text is a part of every other one.
  if (!read || wanted === '') return () => false;
  const holds = MODES[mode ?? ''] ?? ((value, text) => value === text);
  return (row, store) => {
    const value = read(row, store);
    return value !== null && value !== undefined && holds(String(value), wanted);
  };
}

/** The getter of a member, or of that of a related row, behind the name of the relation. */
function reader(type: string, name: string): ReturnType<typeof member> | undefined {
  const fields = fieldsOf(type);
  const own = fields[name];
  if (own) return isLeafType(getNamedType(own.type)) ? member(type, name) : undefined;
  const [, relation = '', rest = ''] = /^([^_]+)_(.+)$/.exec(name) ?? [];
  const related = fields[relation];
  const target = related && getNamedType(related.type);
  const inner = isObjectType(target) ? reader(target.name, rest) : undefined;
  if (!inner) return undefined;
  const outer = member(type, relation);
  return (row, store) => {
    const found = outer(row, store);
    return found && !Array.isArray(found) ? inner(found, store) : null;
  };
}
