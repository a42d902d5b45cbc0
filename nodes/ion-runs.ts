import type { Node, NodeAPI, NodeDef } from 'node-red';
import { placeOfNow, RunChanges } from './client/changes.js';
import { IonError } from './client/errors.js';
import { isPlainObject } from './client/json.js';
import type { Page } from './client/pages.js';
import { defaultFields, type FilterOperator } from './client/run-fields.js';
import { type RunsPage, readRuns } from './client/runs.js';
import type { RunsFilter, RunsQuery } from './client/runs-query.js';
import { Turns } from './client/turns.js';
import { loadPlace, storePlace } from './runtime/changes-place.js';
import {
  type Message,
  type MessageDetails,
  type MessageTools,
  onMessage,
} from './runtime/on-message.js';
import { arrayOutput, type RunsOutput, sequenceOutput } from './runtime/runs-output.js';
import { typedValue } from './runtime/typed-values.js';

interface IonRunsConfig extends NodeDef {
  config: string;
  filters: { field: string; op: FilterOperator; value: string; valueType: string }[];
  fields: string[];
  sort: string[];
  mode: 'array' | 'each' | 'page';
  pageSize: number | string;
  limit: number | string;
  changes: boolean;
  changesFrom: 'beginning' | 'now';
  output: string;
}

export = (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-runs', function (this: Node, config: IonRunsConfig) {
    RED.nodes.createNode(this, config);
    // Two triggers at once would deliver the same changes twice.
    const turns = new Turns();
    onMessage(RED, this, config, async (msg, tools) => {
      const query = await readQuery(RED, this, config, msg);
      const output = runsOutput(RED, config, msg, tools);
      if (config.changes) {
        const { queueLimit } = tools.client;
        await turns.run('changes', queueLimit, () =>
          sendChanges(this, config, query, output, tools),
        );
      } else {
        const options = { ...paging(config, tools), limit: readLimit(config, msg) };
        const count = await sendPages(readRuns(tools.client, query, options), output);
        tools.status({ key: 'runs', count });
      }
    });
  });
};

/** The runs that changed since the last answer. The place moves on only when all was delivered. */
async function sendChanges(
  node: Node,
  config: IonRunsConfig,
  query: RunsQuery,
  output: RunsOutput,
  tools: MessageTools,
): Promise<void> {
  const { client, status } = tools;
  const options = paging(config, tools);
  const place = await loadPlace(node, client.endpoint);
  if (!place && config.changesFrom === 'now') {
    await storePlace(node, client.endpoint, await placeOfNow(client, query, options));
    status({ key: 'changes', count: 0 });
    return;
  }
  const changes = new RunChanges(place);
  const count = await sendPages(changes.read(client, query, options), output);
  await storePlace(node, client.endpoint, changes.place());
  status({ key: 'changes', count });
}

/** @returns how many runs there were */
async function sendPages(pages: AsyncIterable<RunsPage>, output: RunsOutput): Promise<number> {
  let count = 0;
  let details: MessageDetails | undefined;
  try {
    for await (const { runs, page } of pages) {
      count += runs.length;
      details = pageDetails(page);
      output.page(runs, details);
    }
  } catch (thrown) {
    output.interrupt();
    throw thrown;
  }
  if (details) output.end(details);
  return count;
}

function runsOutput(
  RED: NodeAPI,
  { mode, changes }: IonRunsConfig,
  msg: Message,
  { send }: MessageTools,
): RunsOutput {
  if (mode === 'each' || mode === 'page') return sequenceOutput(RED, msg, send, mode);
  return arrayOutput(msg, send, !changes);
}

function pageDetails({ attempts, number, totalCount, answer }: Page): MessageDetails {
  const { traceId, extensions } = answer;
  const operation = 'query';
  return { operation, name: 'Runs', attempts, pages: number, totalCount, traceId, extensions };
}

async function readQuery(
  RED: NodeAPI,
  node: Node,
  config: IonRunsConfig,
  msg: Message,
): Promise<RunsQuery> {
  const filters = (config.filters ?? []).map(async (row): Promise<RunsFilter> => {
    const { field, op, value, valueType } = row;
    const what = `The filter on "${field}"`;
    const input = { value, type: valueType, what, code: 'ION_VARIABLES' } as const;
    return { field, op, value: await typedValue(RED, node, msg, input) };
  });
  return {
    filters: await Promise.all(filters),
    filter: readFilter(msg),
    fields: config.fields?.length > 0 ? config.fields : [...defaultFields],
    sort: config.sort ?? [],
  };
}

function readFilter({ filters }: Message): Record<string, unknown> | undefined {
  if (filters === undefined || filters === null) return undefined;
  if (isPlainObject(filters)) return filters;
  throw new IonError(
    'ION_VARIABLES',
    'msg.filters must be a filter object of ION, such as { "status": { "eq": "IN_PROGRESS" } }.',
  );
}

function paging({ pageSize }: IonRunsConfig, { signal, onState }: MessageTools) {
  return { pageSize: Number(pageSize) || 100, signal, onState };
}

function readLimit(config: IonRunsConfig, msg: Message): number {
  // An empty field of a dashboard is no limit of its own.
  const own = typeof msg.limit === 'string' && msg.limit.trim() === '' ? undefined : msg.limit;
  const limit = own ?? (config.limit || 0);
  const number = typeof limit === 'string' ? Number(limit) : limit;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  throw new IonError(
    'ION_VARIABLES',
    'The limit must be a whole number of runs; 0 means all of them.',
  );
}
