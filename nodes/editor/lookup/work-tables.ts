// Tables with the answer of a trial. Every text from ION is set as text.
import type { Work, WorkCandidate, WorkField, WorkStep, WorkUnit } from '../../client/work/work.js';
import { insertValues } from '../shared/insert-values.js';
import type { LookupTexts } from './lookup-texts.js';

const MAX_VALUE_LENGTH = 200;

type Column = 'unit' | 'run' | 'step' | 'location';

const COLUMNS: readonly Column[] = ['unit', 'run', 'step', 'location'];

/** A name with details below it. */
interface Cell {
  name: string;
  details: (string | null | undefined | false)[];
}

/** The unit, the run and the step, each in a row. */
export function workTable(texts: LookupTexts, { unit, run, step }: Work): JQuery {
  const cells = cellsOf(texts, { ...(unit && { unit }), run, step });
  const rows = (['unit', 'run', 'step'] as const).map((name) =>
    $('<tr>').append(header('row', texts.column[name]), cellElement(cells[name], texts.none)),
  );
  return $('<table>').append($('<tbody>').append(rows));
}

/** The fields of the step, each in a row. */
export function fieldsTable(texts: LookupTexts, fields: Record<string, WorkField>): JQuery {
  const entries = Object.entries(fields);
  const caption = $('<caption>').text(
    entries.length > 0 ? texts.fields.caption : texts.fields.none,
  );
  if (entries.length === 0) return $('<table>').append(caption);
  const rows = entries.map(([name, { type, unit, required, value, valid }]) => {
    const details = [type, unit, required && texts.fields.required];
    // ION also calls an empty field invalid if it is required.
    const doubt = valid === false && !isEmpty(value) && texts.fields.invalid;
    return $('<tr>').append(
      cellElement({ name, details }),
      cellElement({ name: shownValue(value), details: [doubt] }),
    );
  });
  const head = tableHead([texts.fields.name, texts.fields.value]);
  return $('<table>').append(caption, head, $('<tbody>').append(rows));
}

/** The candidates, with a column for each kind that at least one has. */
export function candidatesTable(texts: LookupTexts, candidates: readonly WorkCandidate[]): JQuery {
  const all = candidates.map((candidate) => cellsOf(texts, candidate));
  const columns = COLUMNS.filter((name) => all.some((cells) => cells[name]));
  const rows = all.map((cells) =>
    $('<tr>').append(columns.map((name) => cellElement(cells[name], texts.none))),
  );
  const caption = $('<caption>').text(texts.candidates);
  const head = tableHead(columns.map((name) => texts.column[name]));
  return $('<table>').append(caption, head, $('<tbody>').append(rows));
}

function cellsOf(
  texts: LookupTexts,
  { unit, run, step, location }: WorkCandidate,
): Partial<Record<Column, Cell>> {
  const id = (value: string | number) => `ID ${value}`;
  return {
    ...(unit && { unit: unitCell(texts, unit) }),
    ...(run && { run: { name: run.title ?? '', details: [id(run.id), run.status] } }),
    ...(step && { step: stepCell(texts, step) }),
    ...(location && { location: { name: location.name ?? '', details: [id(location.id)] } }),
  };
}

function unitCell(texts: LookupTexts, unit: WorkUnit): Cell {
  const { id, serialNumber, lotNumber, partNumber, revision, description } = unit;
  const part = [partNumber, revision].filter(Boolean).join(' ');
  return {
    name: serialNumber ?? lotNumber ?? '',
    details: [
      `ID ${id}`,
      lotNumber && serialNumber && insertValues(texts.lot, { lot: lotNumber }),
      part && insertValues(texts.part, { part }),
      description,
    ],
  };
}

function stepCell(texts: LookupTexts, step: WorkStep): Cell {
  const { id, title, status, position, availableToWork, batched, location } = step;
  return {
    name: title ?? '',
    details: [
      `ID ${id}`,
      position !== null && `#${position}`,
      status,
      // A step in progress need not become available again.
      availableToWork === false && status !== 'IN_PROGRESS' && texts.notAvailable,
      batched && texts.batched,
      location && (location.name ?? `ID ${location.id}`),
    ],
  };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

/** A value of any type in one line; it comes from ION, so it may be long. */
function shownValue(value: unknown): string {
  if (isEmpty(value)) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

function cellElement(cell: Cell | undefined, otherwise = ''): JQuery {
  if (!cell) return $('<td>').text(otherwise);
  const details = cell.details.filter(Boolean).join(' · ');
  const small = details === '' ? '' : $('<small>').text(details);
  return $('<td>').append($('<span>').text(cell.name), small);
}

function header(scope: 'row' | 'col', text: string): JQuery {
  return $('<th>').attr('scope', scope).text(text);
}

function tableHead(names: readonly string[]): JQuery {
  return $('<thead>').append($('<tr>').append(names.map((name) => header('col', name))));
}
