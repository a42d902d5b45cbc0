import { basename } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from './client/errors.js';
import type { TraceContext } from './client/http/trace-context.js';
import { type AttachmentFile, fileAt, fileOf } from './client/steps/attachment-file.js';
import { stepOperations } from './client/steps/step-operations.js';
import type { ConflictPolicy, ValueOptions, WriteResult } from './client/steps/step-writer.js';
import {
  checkFieldNames,
  checkName,
  checkTarget,
  type Reference,
  type Target,
  type TargetPart,
} from './client/steps/target.js';
import { isPlainObject } from './client/support/json.js';
import type { IonConfigNode } from './config/config-node.js';
import { requireConfig, statusWithConfig } from './config/find-config.js';
import type { NodeWork } from './config/node-work.js';
import { outboxResults } from './config/outbox-results.js';
import { registerUser } from './config/register-user.js';
import { stepMigrations } from './migrations/ion-step.js';
import { type NewStepWrite, stepEntry } from './outbox/step-writes.js';
import { requireResolvedChoices } from './shared/environment-references.js';
import { handleMessages, type MessageTools } from './shared/handle-messages.js';
import type { Message } from './shared/message.js';
import { migratedConfig } from './shared/migrated-config.js';
import { missingSource } from './shared/missing-source.js';
import { NOT_SENT } from './shared/node-status.js';
import { requireOutput } from './shared/output-property.js';
import { requireDelivery, requireSwitch } from './shared/property-checks.js';
import { traceOf } from './shared/trace-of.js';
import { typedValue } from './shared/typed-value.js';

const CHOICES = ['action', 'onConflict', 'keep'] as const;

type InputType = 'str' | 'num' | 'msg' | 'flow' | 'global' | 'jsonata' | 'env';

interface IonStepConfig extends NodeDef {
  config: string;
  action: 'field' | 'status' | 'file';
  run: string;
  runType: InputType;
  step: string;
  stepType: InputType;
  field: string;
  fieldType: InputType;
  value: string;
  /** `path`: the content is read from the file at the file name. */
  valueType: InputType | 'bool' | 'json' | 'bin' | 'date' | 'path';
  filename: string;
  filenameType: InputType;
  onConflict: ConflictPolicy;
  delivery: 'direct' | 'outbox';
  keep: 'all' | 'latest';
  output: string;
  /** Only for `field`; text if it comes from an environment variable. */
  startStep: boolean | string;
}

/** The write of one message. */
type StepWrite = NewStepWrite & { file?: AttachmentFile };

export default (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-step', function (this: Node, saved: IonStepConfig) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, stepMigrations, saved);
    const status = statusWithConfig(RED, this, config);
    registerUser(RED, this, config, () => workOf(RED, config));
    const results = outboxResults(RED, this, status, config);
    handleMessages(RED, this, status, config.output, async (msg, tools) => {
      const ion = requireConfig(RED, config);
      const trace = traceOf(ion, msg);
      checkChoices(config);
      const read = () => readWrite(RED, this, config, msg, ion.isDryRun);
      const source = { trace, node: this.id };
      if (config.delivery !== 'outbox') await writeDirectly(ion, msg, await read(), source, tools);
      else {
        await results.accept(ion, msg, tools, async () => {
          const write = await read();
          return { entry: () => stepEntry({ ...write, trace }), content: write.file?.content };
        });
      }
    });
  });
};

/** Writes at once, and sends ION's result. */
async function writeDirectly(
  ion: IonConfigNode,
  msg: Message,
  write: StepWrite,
  { trace, node }: { trace: TraceContext | undefined; node: string },
  tools: MessageTools,
): Promise<void> {
  const { signal, onState, send, status } = tools;
  const { onConflict, startStep } = write;
  const origin = { node, target: write.target };
  const options = { signal, onState, onConflict, startStep, trace, origin };
  const { payload, ...details } = await sendWrite(write, ion, options);
  send(msg, payload, { operation: 'mutation', ...details });
  status(details.notSent ? NOT_SENT : { key: `written.${write.action}` });
}

function sendWrite(
  write: StepWrite,
  { steps }: IonConfigNode,
  options: ValueOptions,
): Promise<WriteResult<unknown>> {
  const { action, target, value, file } = write;
  if (write.isNotCreated) return steps.writeNotCreated(write, options);
  if (action === 'status') return steps.writeStatus(target, value, options);
  if (action === 'file' && file) return steps.attach(target, file, options);
  return steps.write(target, value, options);
}

async function readWrite(
  RED: NodeAPI,
  node: Node,
  config: IonStepConfig,
  msg: Message,
  isDryRun: boolean,
): Promise<StepWrite> {
  const { action, onConflict, keep } = config;
  const missing: Target['missing'] = {};
  const nulls: TargetPart[] = [];
  const reference = async (name: TargetPart) => {
    const found = await readReference(RED, node, config, name, msg);
    const { [name]: value = '', [`${name}Type` as const]: type = 'msg' } = config;
    const why = found === undefined && value !== '' && missingSource(type, value);
    if (why) missing[name] = why;
    if (found === null) nulls.push(name);
    return found ?? undefined;
  };
  const target: Target = { run: await reference('run'), step: await reference('step') };
  if (action === 'field') target.field = await reference('field');
  if (Object.keys(missing).length > 0) target.missing = missing;
  checkTarget(target);
  // Mutations of a dry run give null for the IDs of what they did not create.
  const notCreated = isDryRun && nulls.length > 0 && ({ isNotCreated: true } as const);
  if (action === 'file') {
    const file = await readFile(RED, node, config, msg);
    return { action, target, onConflict, filename: file.filename, file, ...notCreated };
  }
  const value = await readValue(RED, node, config, msg);
  if (action === 'field' && isPlainObject(value)) checkFieldNames(Object.keys(value));
  // Each change of a status counts, also one that another change follows.
  const latestOnly = action === 'field' && keep === 'latest';
  const startsStep = isStarting(config);
  return {
    ...{ action, target, value, onConflict, latestOnly },
    ...(startsStep && { startStep: true }),
    ...notCreated,
  };
}

/** @throws IonError `ION_CONFIG` */
function checkChoices(config: IonStepConfig): void {
  requireResolvedChoices('ion-step', config, CHOICES);
  requireDelivery('ion-step', config.delivery);
}

function isStarting({ action, startStep }: IonStepConfig): boolean {
  return action === 'field' && requireSwitch('ion-step', 'startStep', startStep, false);
}

function workOf(RED: NodeAPI, config: IonStepConfig): NodeWork {
  requireOutput(RED, config.output || 'payload');
  checkChoices(config);
  return {
    operations: stepOperations(config.action, isStarting(config)),
    usesOutbox: config.delivery === 'outbox',
  };
}

async function readReference(
  RED: NodeAPI,
  node: Node,
  config: IonStepConfig,
  name: TargetPart,
  msg: Message,
): Promise<Reference | undefined | null> {
  const { [name]: value = '', [`${name}Type` as const]: type = 'msg' } = config;
  if (value === '') return undefined;
  const subject = `The ${name}`;
  const found = await typedValue(RED, node, msg, { value, type, subject, code: 'ION_VARIABLES' });
  if (found === undefined || found === null) return found;
  if (typeof found === 'string' || typeof found === 'number') return found;
  if (typeof found === 'bigint') return String(found);
  throw new IonError(
    'ION_VARIABLES',
    `${subject} (${type}: ${String(value).slice(0, 60)}) must be an ID or a name, not ${Array.isArray(found) ? 'a list' : `of type ${typeof found}`}.`,
    { reason: { key: 'notReference', name: type === 'msg' ? `msg.${value}` : String(value) } },
  );
}

async function readValue(
  RED: NodeAPI,
  node: Node,
  { value, valueType: type }: IonStepConfig,
  msg: Message,
): Promise<unknown> {
  const input = { value, type, subject: 'The value', code: 'ION_VARIABLES' } as const;
  return typedValue(RED, node, msg, input);
}

async function readFile(
  RED: NodeAPI,
  node: Node,
  config: IonStepConfig,
  msg: Message,
): Promise<AttachmentFile> {
  const { filename: value, filenameType: type, valueType } = config;
  const input = { value, type, subject: 'The file name', code: 'ION_VARIABLES' } as const;
  const name = value === '' ? undefined : await typedValue(RED, node, msg, input);
  if (typeof name !== 'string' || name.trim() === '') {
    throw new IonError('ION_VARIABLES', 'The file needs a name, such as "report.pdf".', {
      reason: { key: 'noFilename' },
    });
  }
  checkName('The name of the file', name);
  if (valueType === 'path') return fileAt(name, basename(name));
  const content = await readValue(RED, node, config, msg);
  if (typeof content === 'string' || content instanceof Uint8Array) return fileOf(name, content);
  throw new IonError(
    'ION_VARIABLES',
    'The content of the file must be a Buffer or text. Put a json or csv node before this one for other values.',
    { reason: { key: 'noContent' } },
  );
}
