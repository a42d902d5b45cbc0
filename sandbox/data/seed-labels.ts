import { entityId } from './entities.js';
import type { Store } from './store.js';

type Columns = Record<string, unknown>;

/** The templates of labels, by the types of the things that they are for. */
export const TEMPLATES = { Location: 1, PartInventory: 2, Run: 3, PartKit: 4 } as const;
export type Labelled = keyof typeof TEMPLATES;

/** The codes that other systems print on units and stations. */
export const PATTERNS: readonly Columns[] = [
  { entityType: 'PARTS_INVENTORY', expression: '(?P<serialNumber>SN-.+)' },
  { entityType: 'LOCATIONS', expression: 'LOC:(?P<name>.+)' },
];

/** Units with runs in several states, none of which gets further runs while the sandbox lives. */
const UNITS = [7, 8, 9, 10, 13, 17, 20];

/** The `iuid` of a seeded label: always the same, so that it can be printed once. */
export function seededUid(entity: number): string {
  return `5ca1ab1e${String(entity).padStart(24, '0')}`;
}

/** The columns of the label on a thing. */
export function labelOf(type: Labelled, id: number) {
  const entity = entityId(type, id);
  return { templateId: TEMPLATES[type], entityId: entity, iuid: seededUid(entity) };
}

/** The labels on some units, their runs, all stations and a kit, as far as these exist. */
export function seededLabels(store: Store): Columns[] {
  const stations = store.locations.all().filter(({ type }) => type === 'WORKCENTER');
  const things: [Labelled, number[]][] = [
    ['PartInventory', UNITS],
    ['Run', UNITS],
    ['Location', stations.map(({ id }) => id)],
    ['PartKit', [1]],
  ];
  return things.flatMap(([type, ids]) =>
    ids.filter((id) => store.table(type).get(id)).map((id) => labelOf(type, id)),
  );
}
