import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from './client/errors.js';
import type { Page } from './client/pages.js';
import { defaultFields, type FilterOperator } from './client/run-fields.js';
import { type Run, type RunsFilter, type RunsQuery, readRuns } from './client/runs.js';
import {
  type Message,
  type MessageDetails,
  type MessageTools,
  onMessage,
} from './runtime/on-message.js';
import { Sequence } from './runtime/sequence.js';
import { typedValue } from './runtime/typed-values.js';

interface IonRunsConfig extends NodeDef {
  config: string;
  filters: { field: string; op: FilterOperator; value: string; valueType: string }[];
  fields: string[];
  sort: string[];
  mode: 'array' | 'each' | 'page';
  pageSize: number | string;
  limit: number | string;
  output: string;
}

export = (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-runs', function (this: Node, config: IonRunsConfig) {
    RED.nodes.createNode(this, config);
    onMessage(RED, this, config, async (msg, tools) => {
      const query = await readQuery(RED, this, config, msg);
      const limit = readLimit(config, msg);
      const output = runsOutput(RED, config, msg, tools);
      const paging = { pageSize: Number(config.pageSize) || 100, limit };
      let count = 0;
      let pageCount = 0;
      for await (const { runs, page } of readRuns(tools.client, query, { ...paging, ...tools })) {
        pageCount++;
        count += runs.length;
        output(runs, page, { ...pageDetails(page), pages: pageCount, count });
      }
      tools.status({ key: 'runs', count });
    });
  });
};

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
  if (typeof filters === 'object' && !Array.isArray(filters)) {
    return filters as Record<string, unknown>;
  }
  throw new IonError(
    'ION_VARIABLES',
    'msg.filters must be a filter object of ION, such as { "status": { "eq": "IN_PROGRESS" } }.',
  );
}

function readLimit(config: IonRunsConfig, msg: Message): number {
  const limit = msg.limit ?? (config.limit || 0);
  const number = typeof limit === 'string' ? Number(limit) : limit;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  throw new IonError(
    'ION_VARIABLES',
    'The limit must be a whole number of runs; 0 means all of them.',
  );
}

type Output = (runs: Run[], page: Page, details: MessageDetails) => void;

/** How the pages of runs become messages, by the node's mode. */
function runsOutput(
  RED: NodeAPI,
  { mode, output }: IonRunsConfig,
  msg: Message,
  { send }: MessageTools,
): Output {
  const sequence = new Sequence(RED, msg);
  const all: Run[] = [];
  let held: { run: Run; details: MessageDetails } | undefined;
  switch (mode) {
    case 'each':
      return (runs, page, details) => {
        for (const run of runs) {
          if (held) send(sequence.next(false), output, held.run, held.details);
          held = { run, details };
        }
        // The last run of a page waits, because only the next page tells whether it is the last.
        if (held && page.isLast) send(sequence.next(true), output, held.run, held.details);
      };
    case 'page':
      return (runs, page, details) => {
        const isEmptyList = page.isLast && details.count === 0;
        if (!isEmptyList) send(sequence.next(page.isLast), output, runs, details);
      };
    default:
      return (runs, page, details) => {
        all.push(...runs);
        if (page.isLast) send(msg, output, all, details);
      };
  }
}

function pageDetails({ attempts, totalCount, answer }: Page) {
  const { traceId, extensions } = answer;
  return { operation: 'query', name: 'Runs', attempts, totalCount, traceId, extensions } as const;
}
