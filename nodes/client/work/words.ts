// Names of things in the texts of an answer.
import { quote } from '../errors.js';
import { spelledName } from '../support/name-matching.js';
import type { WorkCandidate, WorkQuery, WorkRun, WorkStep, WorkUnit } from './work.js';
import type { WorkLocation } from './work-rows.js';

/** A longer name is cut before it is quoted. */
const MAX_QUOTED = 500;
const MAX_LISTED = 10;
const SUBJECTS = {
  barcode: 'the code',
  serial: 'the serial number',
  run: 'the run',
  location: 'the location',
};

/** A foreign name in quotation marks. */
export function named(name: string): string {
  return `"${quote(spelledName(name.slice(0, MAX_QUOTED)))}"`;
}

/** The value that was looked for, such as `the serial number "EX-1"`. */
export function valueWords({ by, value, part }: WorkQuery): string {
  const ofPart = part === '' || by !== 'serial' ? '' : ` of part ${named(part)}`;
  return `${SUBJECTS[by]} ${named(value)}${ofPart}`;
}

export function unitWords({ id, partNumber, serialNumber, lotNumber }: WorkUnit): string {
  const part = partNumber === null ? '' : ` of part ${named(partNumber)}`;
  if (serialNumber !== null) return `unit ${id}${part} with serial number ${named(serialNumber)}`;
  return `unit ${id}${part}${lotNumber === null ? '' : ` of lot ${named(lotNumber)}`}`;
}

export function shortUnitWords({ id, serialNumber, lotNumber }: WorkUnit): string {
  if (serialNumber !== null) return `serial number ${named(serialNumber)}`;
  return lotNumber === null ? `unit ${id}` : `lot ${named(lotNumber)}`;
}

export function runWords({ id, title }: WorkRun): string {
  return title === null ? `run ${id}` : `run ${id} ${named(title)}`;
}

export function stepWords({ id, title }: WorkStep): string {
  return title === null ? `step ${id}` : `step ${id} ${named(title)}`;
}

export function locationWords({ id, name }: WorkLocation): string {
  return name === null ? `location ${id}` : `location ${id} ${named(name)}`;
}

/** A step with its run, else a run with its unit, else a unit or a location. */
export function candidateWords({ unit, run, step, location }: WorkCandidate): string {
  if (step && run) return `${stepWords(step)} of ${runWords(run)}`;
  if (run) return unit ? `${runWords(run)} of ${unitWords(unit)}` : runWords(run);
  if (unit) return unitWords(unit);
  return location ? locationWords(location) : '';
}

/** A list in a sentence, of at most ten items. */
export function listed(items: readonly string[], isMore = false): string {
  const isCut = isMore || items.length > MAX_LISTED;
  return `${items.slice(0, MAX_LISTED).join(', ')}${isCut ? ', …' : ''}`;
}
