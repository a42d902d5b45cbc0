import type { NodeAPI } from 'node-red';
import type { IonClient } from '../../client/client.js';
import { IonError } from '../../client/errors.js';
import type { WorkAnswer, WorkQuery } from '../../client/work/work.js';
import { WorkFinder } from '../../client/work/work-finder.js';
import { withClientOfDialog } from './client-of-dialog.js';
import { requireDeployedConfig } from './deployed-config.js';

/** The answer to a dialog. */
export interface LookedUp {
  answer: WorkAnswer;
  /** The number of requests that it took. */
  requests: number;
}

const KINDS: readonly unknown[] = ['barcode', 'serial', 'run', 'location'];

/** Looks up work for a dialog. Nothing is remembered, and ION is always asked. */
export async function lookUpWork(
  RED: NodeAPI,
  id: string,
  body: unknown,
  signal: AbortSignal,
): Promise<LookedUp> {
  const { client } = requireDeployedConfig(RED, id);
  return lookUp(client, body, signal);
}

/** Looks up work with the values of a config node that is not deployed. */
export async function lookUpUndeployedWork(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<LookedUp> {
  return withClientOfDialog(RED, body, (client) => lookUp(client, body, signal));
}

async function lookUp(client: IonClient, body: unknown, signal: AbortSignal): Promise<LookedUp> {
  const query = readQuery(body);
  const { answer, requests } = await new WorkFinder(client).find(query, {
    signal,
    isEditor: true,
  });
  return { answer, requests };
}

/** @throws IonError `ION_CONFIG` */
function readQuery(body: unknown): WorkQuery {
  const { by, value, part = '', step = '', fields = true } = (body ?? {}) as Partial<WorkQuery>;
  const isValid = KINDS.includes(by) && typeof fields === 'boolean';
  if (!isValid || [value, part, step].some((text) => typeof text !== 'string')) {
    throw new IonError('ION_CONFIG', 'The request must hold a kind of value and texts.');
  }
  return { by, value, part, step, fields } as WorkQuery;
}
