import type { AttributeRow, Row } from './model.js';
import type { Getter, Store } from './store.js';

type Columns = Row & Record<string, unknown>;

export interface LabelRow extends Row {
  templateId: number;
  /** The thing that the label is on. */
  entityId: number;
  /** 32 hexadecimal digits, in the code of the label. */
  iuid: string;
}

/** The most characters of a name for which a label has room. */
const ROOM = 40;

/** The text in the code of a label, by which ION finds the thing that the label is on. */
function qrCode({ iuid }: LabelRow): string {
  return JSON.stringify({ uid: iuid });
}

/** The label in the language of label printers, ZPL: as its template says, or its code with a name beside it. */
function barcode(label: LabelRow, store: Store): string {
  const thing = store.entity(label.entityId)?.row as Columns | undefined;
  const { template } = (store.table('BarcodeTemplate').get(label.templateId) ?? {}) as Columns;
  const text = typeof template === 'string' && template !== '' ? template : standardLabel(thing);
  return text.replaceAll(/\$\{([\w.]+)\}/g, (_, path: string) => {
    if (path === 'qrCode') return qrCode(label);
    return printable(path === 'iuid' ? label.iuid : valueAt(thing, path.split('.'), store));
  });
}

function standardLabel(thing: Columns | undefined): string {
  const name = ['name', 'title', 'serialNumber', 'lotNumber'].find((each) => thing?.[each]) ?? 'id';
  return `^XA^CI28^FO20,20^BQN,2,4^FDMA,\${qrCode}^FS^FO180,60^A0N,28,28^FD\${${name}}^FS^XZ`;
}

/** A column of a row, or of a row that it refers to: `part.partNumber`. */
function valueAt(row: Columns | undefined, path: readonly string[], store: Store): unknown {
  const [first = '', ...rest] = path;
  if (!row || rest.length === 0) return row && Object.hasOwn(row, first) ? row[first] : undefined;
  const id = row[`${first}Id`];
  if (typeof id !== 'number') return undefined;
  const type = first.charAt(0).toUpperCase() + first.slice(1);
  return valueAt(store.table(type).get(id) as Columns | undefined, rest, store);
}

/** A text without the two characters that begin commands of ZPL, as long as a label has room for it. */
function printable(value: unknown): string {
  const characters = [...String(value ?? '').replaceAll(/[\^~]/g, ' ')];
  return characters.slice(0, ROOM).join('');
}

const ofLabels: Record<string, Getter<LabelRow>> = { qrCode, barcode };

interface MbomRow extends Row {
  partId: number;
}
interface ItemRow extends Row {
  mbomId: number;
}

/** The part whose bill of material an item is in. */
function parentId({ mbomId }: ItemRow, store: Store): number | null {
  return (store.table('MBom').get(mbomId) as MbomRow | undefined)?.partId ?? null;
}

const ofItems: Record<string, Getter<ItemRow>> = { parentId };

const ofAttributes: Record<string, Getter<AttributeRow>> = {
  fileAttachmentId: ({ type, value }) => (type === 'FILE_ATTACHMENT' ? Number(value) : null),
};

/** The computed members of the records around runs. */
export const recordFields = {
  BarcodeLabel: ofLabels,
  MBomItem: ofItems,
  RunAttribute: ofAttributes,
};
