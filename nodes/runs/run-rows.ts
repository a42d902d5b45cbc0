// Runs as rows of one level: objects without objects or lists inside, for a csv node or a table.
import type { Row } from '../client/lists/rows.js';
import { setProperty } from '../client/support/json.js';
import { Slices } from '../client/support/slices.js';

/** Lists whose elements get a row each: the steps of a run, and the fields of a step. */
const ROW_LISTS = ['steps', 'fields'] as const;

interface Column {
  /** Path of a field, which is the key in the row. */
  key: string;
  /** Number of row lists that lead to the value. */
  level: number;
  /** Names after the row lists. */
  names: string[];
}

/**
 * Converts runs to rows with a key for each field, in the order of the fields. A run gets one row; if
 * fields of its steps are selected, one per step; if values of the steps' fields are selected, one
 * per field.
 */
export async function runRows(runs: readonly Row[], fields: readonly string[]): Promise<Row[]> {
  const columns = [...new Set(fields)].map(columnOf);
  const depth = Math.max(...columns.map(({ level }) => level));
  const slices = new Slices();
  const rows: Row[] = [];
  const add = async (object: unknown, level: number, above: readonly unknown[]): Promise<void> => {
    const cells = cellsOf(columns, object, level, above);
    const list = ROW_LISTS[level];
    if (list === undefined || level >= depth) {
      if (slices.isOver) await slices.pause();
      rows.push(rowOf(columns, cells));
      return;
    }
    for (const element of elementsOf(object, list)) await add(element, level + 1, cells);
  };
  for (const run of runs) await add(run, 0, []);
  return rows;
}

function columnOf(key: string): Column {
  const names = key.split('.');
  const first = ROW_LISTS.findIndex((list, index) => names[index] !== list);
  // A path that ends in a list has its value before the list.
  const level = Math.min(first === -1 ? ROW_LISTS.length : first, names.length - 1);
  return { key, level, names: names.slice(level) };
}

/** The elements of a list; without any, one empty element, so that the run still gets a row. */
function elementsOf(object: unknown, list: string): unknown[] {
  const value = (object as Row | undefined)?.[list];
  const elements = (Array.isArray(value) ? value : [value]).filter(isPresent);
  return elements.length > 0 ? elements : [undefined];
}

/** The cells of the levels above and of this one: all rows below an object share its texts. */
function cellsOf(
  columns: readonly Column[],
  object: unknown,
  level: number,
  above: readonly unknown[],
): unknown[] {
  return columns.map((column, index) =>
    column.level === level ? cellOf(valueAt(object, column.names)) : above[index],
  );
}

function rowOf(columns: readonly Column[], cells: readonly unknown[]): Row {
  const row: Row = {};
  for (const [index, { key }] of columns.entries()) setProperty(row, key, cells[index]);
  return row;
}

/** The value at a path. A list on the path gives the list of its elements' values. */
function valueAt(value: unknown, names: readonly string[]): unknown {
  const [name, ...rest] = names;
  if (name === undefined || !isPresent(value)) return value;
  if (Array.isArray(value)) return value.map((element) => valueAt(element, names));
  return valueAt((value as Row)[name], rest);
}

/** A csv node writes null as text, or shifts the columns after it, so an empty text replaces it. */
function cellOf(value: unknown): unknown {
  if (!isPresent(value) || (Array.isArray(value) && value.length === 0)) return '';
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}
