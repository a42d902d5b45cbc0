import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from './client/errors.js';
import type { ReasonKey } from './client/reasons.js';
import { describe } from './client/support/describe.js';
import { scannedText } from './client/work/scanned-value.js';
import type { LookupBy, Work, WorkQuery } from './client/work/work.js';
import { workOperations } from './client/work/work-operations.js';
import { requireConfig, statusWithConfig } from './config/find-config.js';
import type { NodeWork } from './config/node-work.js';
import { registerUser } from './config/register-user.js';
import type { LookupResult } from './lookup/lookups.js';
import { lookupMigrations } from './migrations/ion-lookup.js';
import { requireResolvedChoices } from './shared/environment-references.js';
import { handleMessages, type MessageTools } from './shared/handle-messages.js';
import type { Message } from './shared/message.js';
import { migratedConfig } from './shared/migrated-config.js';
import { missingSource } from './shared/missing-source.js';
import { requireOutput } from './shared/output-property.js';
import { requireNumber, requireSwitch, requireValid } from './shared/property-checks.js';
import { timeOfDay } from './shared/time-of-day.js';
import { traceOf } from './shared/trace-of.js';
import { typedValue } from './shared/typed-value.js';

type InputType = 'str' | 'num' | 'msg' | 'flow' | 'global' | 'jsonata' | 'env';

interface IonLookupConfig extends NodeDef {
  config: string;
  by: LookupBy;
  value: string;
  valueType: InputType;
  /** Only for `serial`. */
  part: string;
  partType: InputType;
  /** Empty for the current step. */
  step: string;
  stepType: InputType;
  /** Text if it comes from an environment variable. */
  fields: boolean | string;
  /** In hours. */
  remember: number | string;
  output: string;
}

/** The subject of an error about the value. */
const SUBJECTS: Record<LookupBy, string> = {
  barcode: 'The barcode',
  serial: 'The serial number',
  run: 'The run',
  location: 'The location',
};
/** Message properties with the IDs for `ion-step`. */
const TAKEN = ['run', 'step'];
const HOUR_MS = 60 * 60 * 1000;
/** In characters. */
const MAX_SOURCE_LENGTH = 60;

interface CheckedProperties {
  by: LookupBy;
  fields: boolean;
  rememberMs: number;
}

export default (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-lookup', function (this: Node, saved: IonLookupConfig) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, lookupMigrations, saved);
    const status = statusWithConfig(RED, this, config);
    registerUser(RED, this, config, () => workOf(RED, config));
    handleMessages(RED, this, status, config.output || 'work', async (msg, tools) => {
      const ion = requireConfig(RED, config);
      const trace = traceOf(ion, msg);
      const { signal, onState } = tools;
      const properties = checkProperties(RED, config);
      const { rememberMs } = properties;
      const query = await readQuery(RED, this, config, msg, properties);
      const result = await ion.lookups.find(query, { rememberMs, signal, trace, onState });
      sendResult(msg, query, result, tools);
    });
  });
};

/** The message leaves output 1 with the IDs that `ion-step` reads, or output 2. */
function sendResult(
  msg: Message,
  { value }: WorkQuery,
  { answer, source, readAt, attempts, traceId }: LookupResult,
  { send, status }: MessageTools,
): void {
  const details = { operation: 'query', name: undefined, attempts, traceId } as const;
  if (answer.found !== 'one') {
    send(msg, { ...ownCopy(answer), source, readAt }, details, { output: 1 });
    status({ key: `lookup.${answer.found}`, fill: 'yellow', name: value });
    return;
  }
  const { work } = answer;
  const properties = { run: work.run.id, step: work.step.id };
  send(msg, { ...ownCopy(work), source, readAt }, details, { properties });
  const name = nameOf(work);
  if (source === 'ion') status({ key: 'lookup.found', name });
  else {
    const since = timeOfDay(Date.parse(readAt));
    status({ key: 'lookup.remembered', fill: 'yellow', name, since });
  }
}

/** Several messages share an answer, and a flow may change what it receives. */
function ownCopy<Value>(value: Value): Value {
  return structuredClone(value);
}

function nameOf({ unit, run, step }: Work): string {
  const name = unit?.serialNumber ?? unit?.lotNumber ?? run.title ?? run.id;
  return `${name} · ${step.title ?? step.id}`;
}

/** @throws IonError `ION_CONFIG` */
function checkProperties(RED: NodeAPI, config: IonLookupConfig): CheckedProperties {
  const { by, fields, remember, output } = config;
  requireOutput(RED, output || 'work', TAKEN);
  requireResolvedChoices('ion-lookup', config, ['by']);
  const isKnown = Object.hasOwn(SUBJECTS, by);
  requireValid('ion-lookup', 'by', by, isKnown, '"barcode", "serial", "run" or "location"');
  return {
    by,
    fields: requireSwitch('ion-lookup', 'fields', fields, true),
    rememberMs: requireNumber('ion-lookup', 'remember', remember) * HOUR_MS,
  };
}

async function readQuery(
  RED: NodeAPI,
  node: Node,
  config: IonLookupConfig,
  msg: Message,
  { by, fields }: CheckedProperties,
): Promise<WorkQuery> {
  const read = (subject: string, value: string, type: InputType) =>
    readText(RED, node, msg, { subject, value, type });
  const value = await read(SUBJECTS[by], config.value, config.valueType);
  if (value === '') {
    const place = placeOf(config.valueType, config.value);
    throw unusable(
      `${SUBJECTS[by]} is empty${place === '' ? '' : ` (${place})`}.`,
      'noValue',
      place,
    );
  }
  const part = by === 'serial' ? await read('The part number', config.part, config.partType) : '';
  const step = await read('The title of the step', config.step, config.stepType);
  return { by, value, part, step, fields };
}

/**
 * The text of a typed input, without invisible characters at its ends; a PLC sends a number. Only an
 * empty text counts as not given, because a mistake in the flow must not select the current step.
 * @throws IonError `ION_VARIABLES`
 */
async function readText(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  { subject, value, type }: { subject: string; value: string; type: InputType },
): Promise<string> {
  if ((value ?? '') === '') return '';
  const found = await typedValue(RED, node, msg, { value, type, subject, code: 'ION_VARIABLES' });
  const place = placeOf(type, value);
  if (found === undefined || found === null) {
    const why = found === null ? `${place || 'the value'} is null` : missingSource(type, value);
    throw unusable(`${subject} has no value: ${why ?? 'it is empty'}.`, 'noValue', place);
  }
  if (typeof found === 'string') return scannedText(found, subject);
  if (typeof found === 'bigint') return String(found);
  if (typeof found !== 'number' || Number.isNaN(found)) {
    const text = `${subject} (${place}) must be text or a number, but is ${describe(found)}.`;
    throw unusable(text, 'notTextOrNumber', place);
  }
  if (Math.abs(found) <= Number.MAX_SAFE_INTEGER) return String(found);
  throw unusable(
    `${subject} is the number ${found}, which has too many digits to be exact. Send it as text.`,
    'tooManyDigits',
    place,
  );
}

/** A source in the notation of flows, such as `msg.payload`. */
function placeOf(type: InputType, value: string): string {
  const text = String(value).slice(0, MAX_SOURCE_LENGTH);
  return ['msg', 'flow', 'global'].includes(type) ? `${type}.${text}` : text;
}

function unusable(message: string, key: ReasonKey, name: string): IonError {
  return new IonError('ION_VARIABLES', message, { reason: { key, name } });
}

function workOf(RED: NodeAPI, config: IonLookupConfig): NodeWork {
  const { by, fields } = checkProperties(RED, config);
  // Any title leads to the same operations.
  return { operations: workOperations({ by, fields, step: String(config.step ?? '') }) };
}
