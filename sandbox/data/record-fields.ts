import type { AttributeRow, Row } from './model.js';
import type { Getter, Store } from './store.js';

interface LabelRow extends Row {
  entityId: number;
  iuid: string;
}

/** The text in the code of a label, by which ION finds the thing that the label is on. */
function qrCode({ iuid }: LabelRow): string {
  return JSON.stringify({ uid: iuid });
}

/** The name of the thing that the label is on. */
function nameOf({ entityId }: LabelRow, store: Store): string {
  const row = store.entity(entityId)?.row as (Row & Record<string, unknown>) | undefined;
  return String(row?.name ?? row?.title ?? row?.serialNumber ?? row?.lotNumber ?? row?.id ?? '');
}

/** The label in the language of label printers, ZPL: its code, and the name beside it. */
function barcode(label: LabelRow, store: Store): string {
  const name = nameOf(label, store).replaceAll(/[\^~]/g, ' ');
  return `^XA^FO20,20^BQN,2,4^FDMA,${qrCode(label)}^FS^FO180,60^A0N,28,28^FD${name}^FS^XZ`;
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
