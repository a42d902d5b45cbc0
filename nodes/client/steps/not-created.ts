import { isPlainObject } from '../support/json.js';
import { CREATE_UPLOADED_MUTATION } from './attachments.js';
import type { Written } from './etag-writes.js';
import { FIELD_MUTATION } from './field-mutation.js';
import type { RequestScope } from './request-scope.js';
import { STATUS_MUTATION, toStatus } from './step-status.js';

/** A write to a step that a dry run did not create, so that neither its ID nor its fields are known. */
export interface NotCreatedWrite {
  action: 'field' | 'status' | 'file';
  value?: unknown;
  filename?: string | undefined;
}

/**
 * Asks the dry run for the write, with null for the IDs and the etag.
 * @returns the payload and the name of the mutation
 */
export async function writeToNotCreated(
  { action, value, filename }: NotCreatedWrite,
  requests: RequestScope,
): Promise<{ payload: Written; name: string }> {
  const unknown = { id: null, etag: null };
  if (action === 'status') {
    const input = { ...unknown, status: toStatus(value) };
    const { data } = await requests.send(STATUS_MUTATION, { input });
    return { payload: objectIn(data, 'updateRunStep', 'runStep'), name: 'UpdateRunStep' };
  }
  if (action === 'file') {
    const input = { entityId: null, filename, s3Key: null, s3Etag: null };
    const { data } = await requests.send(CREATE_UPLOADED_MUTATION, { input });
    const payload = objectIn(data, 'createFileAttachment', 'fileAttachment');
    return { payload, name: 'CreateFileAttachment' };
  }
  const write = async (each: unknown): Promise<Written> => {
    const { data } = await requests.send(FIELD_MUTATION, { input: { ...unknown, value: each } });
    return objectIn(data, 'updateRunStepFieldValue', 'runStepField');
  };
  const name = 'UpdateRunStepFieldValue';
  if (!isPlainObject(value)) return { payload: await write(value), name };
  const payload: Written = {};
  for (const [field, each] of Object.entries(value)) payload[field] = await write(each);
  return { payload, name };
}

function objectIn(data: Record<string, unknown>, mutation: string, name: string): Written {
  return (data[mutation] as Record<string, Written>)[name] ?? {};
}
