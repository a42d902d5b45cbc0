import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { IonClient } from './client/client.js';
import { IonError } from './client/errors.js';
import type { TraceContext } from './client/http/trace-context.js';
import {
  ChangeFeed,
  type ChangesPage,
  changesQuery,
  checkpointNow,
} from './client/lists/change-feed.js';
import { defaultFields, runs } from './client/lists/resources.js';
import { type RowsPage, readRows } from './client/lists/rows.js';
import { sentRowsOperation } from './client/lists/rows-operation.js';
import type { RowsFilter, RowsQuery } from './client/lists/rows-query.js';
import { failureAt, type Page } from './client/paging/paginator.js';
import { pageNumbers, readNumber } from './client/settings.js';
import { describe } from './client/support/describe.js';
import { isPlainObject } from './client/support/json.js';
import { KeyedMutex } from './client/support/keyed-mutex.js';
import { requireConfig, statusWithConfig } from './config/find-config.js';
import type { NodeWork } from './config/node-work.js';
import { registerUser } from './config/register-user.js';
import { runsMigrations } from './migrations/ion-runs.js';
import { arrayOutput, type RunsOutput, sequenceOutput } from './runs/output.js';
import { runRows } from './runs/run-rows.js';
import { loadCheckpoint, saveCheckpoint } from './shared/checkpoint.js';
import { requireResolvedChoices } from './shared/environment-references.js';
import type { FilterRow } from './shared/filter-row.js';
import { handleMessages, type MessageTools } from './shared/handle-messages.js';
import type { Message, MessageDetails } from './shared/message.js';
import { migratedConfig } from './shared/migrated-config.js';
import { requireOutput } from './shared/output-property.js';
import {
  isFilter,
  isListOf,
  isString,
  requireNumber,
  requirePageSize,
  requireSwitch,
  requireValid,
} from './shared/property-checks.js';
import { readFilters, unevaluated } from './shared/read-filters.js';
import { traceOf } from './shared/trace-of.js';

/** In place of the time of a checkpoint. */
const ANY_TIME = '1970-01-01T00:00:00Z';

const CHOICES = ['mode', 'shape', 'changesFrom'] as const;

interface IonRunsConfig extends NodeDef {
  config: string;
  filters: FilterRow[];
  fields: string[];
  sort: string[];
  mode: 'array' | 'each' | 'page';
  shape: 'nested' | 'rows';
  pageSize: number | string;
  limit: number | string;
  changes: boolean | string;
  changesFrom: 'beginning' | 'now';
  output: string;
}

/** The reading of changed runs for one message. */
interface Reading {
  config: IonRunsConfig;
  tools: MessageTools;
  trace: TraceContext | undefined;
}

export default (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-runs', function (this: Node, saved: IonRunsConfig) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, runsMigrations, saved);
    // Two concurrent messages would deliver the same changes twice.
    const mutex = new KeyedMutex();
    const status = statusWithConfig(RED, this, config);
    registerUser(RED, this, config, () => workOf(RED, config));
    handleMessages(RED, this, status, config.output, async (msg, tools) => {
      const ion = requireConfig(RED, config);
      const { client } = ion;
      const trace = traceOf(ion, msg);
      requireResolvedChoices('ion-runs', config, CHOICES);
      const query = await readRunsQuery(RED, this, config, msg);
      const changes = requireSwitch('ion-runs', 'changes', config.changes, false);
      const nested = runsOutput(RED, config.mode, changes, msg, tools);
      const rows = config.shape === 'rows' ? rowsOutput(nested, query.fields) : undefined;
      const output = rows ?? nested;
      if (changes) {
        await mutex.run('changes', client.queueLimit, () =>
          sendChanges(this, client, query, output, { config, tools, trace }),
        );
      } else {
        const options = { ...paging(config, tools), trace, limit: readLimit(config, msg) };
        const count = await sendPages(readRows(client, runs, query, options), output);
        tools.status(rows ? { key: 'rows', count: rows.count } : { key: 'runs', count });
      }
    });
  });
};

/** Sends the runs that changed since the last message. The checkpoint advances after all were sent. */
async function sendChanges(
  node: Node,
  client: IonClient,
  query: RowsQuery,
  output: RunsOutput,
  { config, tools, trace }: Reading,
): Promise<void> {
  const { status } = tools;
  const options = { ...paging(config, tools), trace };
  const checkpoint = await loadCheckpoint(node, client.endpoint);
  if (!checkpoint && config.changesFrom === 'now') {
    await saveCheckpoint(node, client.endpoint, await checkpointNow(client, runs, query, options));
    status({ key: 'changes', count: 0 });
    return;
  }
  const feed = new ChangeFeed(runs, checkpoint);
  const pages = changedRows(feed.read(client, query, options));
  const count = await sendPages(pages, output);
  await saveCheckpoint(node, client.endpoint, feed.checkpoint());
  status({ key: 'changes', count });
}

async function* changedRows(pages: AsyncIterable<ChangesPage>): AsyncGenerator<RowsPage> {
  for await (const { changes, page } of pages) yield { rows: changes.map(({ row }) => row), page };
}

/** @returns the number of runs */
async function sendPages(pages: AsyncIterable<RowsPage>, output: RunsOutput): Promise<number> {
  let count = 0;
  let details: MessageDetails | undefined;
  try {
    for await (const { rows, page } of pages) {
      count += rows.length;
      details = pageDetails(page);
      await output.page(rows, details).catch((thrown) => {
        throw failureAt(page, thrown);
      });
    }
  } catch (thrown) {
    output.interrupt();
    throw thrown;
  }
  if (details) await output.end(details);
  return count;
}

function runsOutput(
  RED: NodeAPI,
  mode: IonRunsConfig['mode'],
  changes: boolean,
  msg: Message,
  tools: MessageTools,
): RunsOutput {
  if (mode === 'each' || mode === 'page') return sequenceOutput(RED, msg, tools, mode);
  return arrayOutput(msg, tools, !changes);
}

/** Sends runs as rows of one level, and counts the rows. */
function rowsOutput(
  output: RunsOutput,
  columns: readonly string[],
): RunsOutput & { readonly count: number } {
  let count = 0;
  return {
    ...output,
    get count() {
      return count;
    },
    async page(runs, details) {
      const rows = await runRows(runs, columns);
      count += rows.length;
      await output.page(rows, details);
    },
  };
}

function pageDetails({ attempts, number, totalCount, response }: Page): MessageDetails {
  const { traceId, extensions } = response;
  const operation = 'query';
  return { operation, name: 'Runs', attempts, pages: number, totalCount, traceId, extensions };
}

async function readRunsQuery(
  RED: NodeAPI,
  node: Node,
  config: IonRunsConfig,
  msg: Message,
): Promise<RowsQuery> {
  checkLists(config);
  const filters = await readFilters(RED, node, msg, config.filters);
  return { ...queryWith(config, filters), filter: readFilter(msg) };
}

function queryWith(config: IonRunsConfig, filters: RowsFilter[]): RowsQuery {
  const isChosen = config.fields?.length > 0;
  return {
    filters,
    fields: isChosen ? config.fields : [...defaultFields],
    wished: isChosen ? [] : defaultFields.filter((field) => field !== 'id'),
    sort: config.sort ?? [],
  };
}

function workOf(RED: NodeAPI, config: IonRunsConfig): NodeWork {
  requireOutput(RED, config.output || 'payload');
  requireResolvedChoices('ion-runs', config, CHOICES);
  checkLists(config);
  const query = queryWith(config, unevaluated(config.filters));
  const isFeed = requireSwitch('ion-runs', 'changes', config.changes, false);
  // All changes are read.
  if (!isFeed) requireNumber('ion-runs', 'limit', config.limit);
  const sent = isFeed ? changesQuery(runs, query, ANY_TIME) : query;
  const pageSize = requirePageSize('ion-runs', config.pageSize);
  return { operations: [sentRowsOperation(runs, sent)], pageSize };
}

/** @throws IonError `ION_CONFIG` */
function checkLists({ filters, fields, sort }: IonRunsConfig): void {
  const check = (name: string, value: unknown, isEntry: (entry: unknown) => boolean) =>
    requireValid('ion-runs', name, value, isListOf(value, isEntry), 'a list');
  check('filters', filters, isFilter);
  check('fields', fields, isString);
  check('sort', sort, isString);
}

function readFilter({ filters }: Message): Record<string, unknown> | undefined {
  if (filters === undefined || filters === null) return undefined;
  if (isPlainObject(filters)) return filters;
  throw new IonError(
    'ION_VARIABLES',
    'msg.filters must be an ION filter object, such as { "status": { "eq": "IN_PROGRESS" } }.',
  );
}

function paging({ pageSize, mode }: IonRunsConfig, { signal, onState }: MessageTools) {
  const isCollected = mode !== 'each' && mode !== 'page';
  return { pageSize: requirePageSize('ion-runs', pageSize), signal, onState, isCollected };
}

function readLimit(config: IonRunsConfig, { limit }: Message): number {
  // An empty field of a dashboard sets no limit.
  const isOwn = (typeof limit === 'string' ? limit.trim() : (limit ?? '')) !== '';
  if (!isOwn) return requireNumber('ion-runs', 'limit', config.limit);
  // A list has an end, so no limit is too large.
  const setting = { ...pageNumbers.limit, max: Number.MAX_VALUE };
  const number = readNumber(setting, limit);
  if (number !== undefined) return number;
  throw new IonError(
    'ION_VARIABLES',
    `msg.limit is ${describe(limit)}, but must be a whole number of runs; 0 means all runs.`,
  );
}
