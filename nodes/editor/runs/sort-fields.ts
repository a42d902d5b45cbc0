// The fields by which runs can be sorted, and their directions.
import {
  enumValues,
  fieldsOf,
  isTechnical,
  type ListSchema,
} from '../query-builder/list-schema.js';

/** A direction, as the end of a key in the catalogue. */
export type Direction = 'newest' | 'oldest' | 'aToZ' | 'zToA' | 'ascending' | 'descending';

export interface SortField {
  /** Name of the field in ION's schema. */
  name: string;
  /** The values of `RunSortEnum`, the usual one first. */
  directions: { value: string; direction: Direction }[];
}

const ENUM = 'RunSortEnum';

/** The fields in the order of their names, technical ones last; `undefined` without such an enum. */
export function sortFields(schema: ListSchema): SortField[] | undefined {
  const values = enumValues(schema, ENUM);
  if (!values) return undefined;
  const fields = fieldsOf(schema, schema.row);
  const found = values.flatMap((value) => {
    const stem = /^(\w+)_ASC$/.exec(value)?.[1];
    if (stem === undefined || !values.includes(`${stem}_DESC`)) return [];
    const field = fields.find(({ name }) => plain(name) === plain(stem));
    const { name, type } = field ?? { name: stem, type: '' };
    const directions = directionsOf(name, type).map(([direction, order]) => ({
      value: `${stem}_${order}`,
      direction,
    }));
    return [{ name, directions, isLast: isTechnical({ name, type }) }];
  });
  return found
    .sort((a, b) => Number(a.isLast) - Number(b.isLast) || a.name.localeCompare(b.name))
    .map(({ name, directions }) => ({ name, directions }));
}

/** The enum separates words by underscores: `DUE_DATE_ASC` sorts by `dueDate`. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function directionsOf(name: string, type: string): [Direction, 'ASC' | 'DESC'][] {
  const isText = type === 'String';
  // A run has the times of its start and end as texts.
  const isTime = type.startsWith('Date') || (isText && name.endsWith('Time'));
  if (isTime)
    return [
      ['newest', 'DESC'],
      ['oldest', 'ASC'],
    ];
  if (isText && !name.endsWith('Id'))
    return [
      ['aToZ', 'ASC'],
      ['zToA', 'DESC'],
    ];
  return [
    ['ascending', 'ASC'],
    ['descending', 'DESC'],
  ];
}
