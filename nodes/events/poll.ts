import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeAPI } from 'node-red';
import { closedError, type IonErrorCode, toIonError } from '../client/errors.js';
import { ChangeEvents } from '../client/lists/change-events.js';
import {
  type Change,
  ChangeFeed,
  type Checkpoint,
  checkpointNow,
} from '../client/lists/change-feed.js';
import type { FieldMemory } from '../client/lists/field-memory.js';
import { readNewestRows } from '../client/lists/newest-rows.js';
import { readMatchingRows } from '../client/lists/row-by-id.js';
import type { Row } from '../client/lists/rows.js';
import { toMs, updatedOf } from '../client/lists/timestamps.js';
import { delayAfterFailures } from '../client/support/backoff.js';
import { Slices } from '../client/support/slices.js';
import { findConfig, requireConfig } from '../config/find-config.js';
import { loadCheckpoint, saveCheckpoint } from '../shared/checkpoint.js';
import type { Message } from '../shared/message.js';
import { failedStatus, type NodeStatus } from '../shared/node-status.js';
import { onFlowsStarted } from '../shared/on-flows-started.js';
import { requireNumber } from '../shared/property-checks.js';
import { reportError } from '../shared/report-error.js';
import { timeOfDay } from '../shared/time-of-day.js';
import { type ChangedObject, changedEvents } from './changed-events.js';
import { changedLookups } from './changed-lookups.js';
import { type EventDetails, eventMessage, reportFailure } from './event-message.js';
import {
  type EventSource,
  type IonEventsConfig,
  isWantedAction,
  readEventsQuery,
  requireResource,
} from './events-config.js';
import { loadMemory, memoryScope, memoryToStore } from './stored-memory.js';

export const POLL_PAGE_SIZE = 100;
/** Objects that a node reads when it begins to watch fields. */
const MAX_FIRST_OBJECTS = 5000;
const FIRST_PAGE_SIZE = 500;
/** Failures of an outage. */
const UNREACHABLE: ReadonlySet<IonErrorCode> = new Set([
  'ION_NETWORK',
  'ION_TIMEOUT',
  'ION_SERVER',
  'ION_RATE_LIMITED',
]);

/** Asks ION for changes at an interval. */
export function pollEvents(
  RED: NodeAPI,
  node: Node,
  config: IonEventsConfig,
  status: NodeStatus,
): EventSource {
  const polling = new Polling(RED, node, config, status);
  let ended = Promise.resolve();
  const stopWaiting = onFlowsStarted(RED, () => {
    stopWaiting();
    ended = polling.untilClosed().catch((thrown) => reportError(node, thrown));
  });
  return {
    async close() {
      stopWaiting();
      polling.close();
      await ended;
    },
  };
}

interface Watched {
  memory: FieldMemory;
  /** Objects that were read before the first changes, until they are in the memory. */
  first?: ReadonlyMap<string, Row> | undefined;
}

class Polling {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #config: IonEventsConfig;
  readonly #status: NodeStatus;
  readonly #intervalMs: number;
  readonly #closing = new AbortController();
  readonly #events = new ChangeEvents();
  /** Only if the node watches fields. Loaded once: after a failed poll it is newer than what is stored. */
  #watched: Watched | undefined;
  #count = 0;
  /** Consecutive failed polls: their count, the code of the last one, the time of the first one. */
  #failures = 0;
  #failedWith: IonErrorCode | undefined;
  #failingSince = 0;

  constructor(RED: NodeAPI, node: Node, config: IonEventsConfig, status: NodeStatus) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#status = status;
    this.#intervalMs = requireNumber('ion-events', 'interval', config.interval) * 1000;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Polls one after the other, so that two never overlap. */
  async untilClosed(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.#poll();
        this.#succeeded();
      } catch (thrown) {
        if (signal.aborted) return;
        this.#failed(thrown, performance.now() - startedAt);
      }
      const wait = this.#delay() - (performance.now() - startedAt);
      await sleep(Math.max(0, wait), undefined, { signal }).catch(() => {});
    }
  }

  async #poll(): Promise<void> {
    const { client } = requireConfig(this.#RED, this.#config);
    const resource = requireResource(this.#config);
    const query = await readEventsQuery(this.#RED, this.#node, this.#config, resource.fields);
    const { signal } = this.#closing;
    const onlyCreated = !isWantedAction(this.#config, 'UPDATE');
    const options = { pageSize: POLL_PAGE_SIZE, signal, onlyCreated };
    const { changedFields } = this.#config;
    const scope = memoryScope(client.endpoint, resource.name, changedFields);
    if (changedFields.length > 0) {
      this.#watched ??= { memory: await loadMemory(this.#node, scope) };
    }
    const watched = this.#watched;
    const memory = watched?.memory;
    // An object that does not match the filters is remembered as well.
    const feedQuery = memory ? { ...query, filters: [] } : query;
    // Read before the changes, and used after them: no change can be missed in between.
    if (watched?.memory.isEmpty) {
      const reading = { ...options, limit: MAX_FIRST_OBJECTS, pageSize: FIRST_PAGE_SIZE };
      watched.first ??= await readNewestRows(client, resource, changedFields, reading);
    }
    const save = async (checkpoint: Checkpoint) => {
      if (watched?.first) watched.memory.learn(watched.first);
      const others = memory?.isChanged ? memoryToStore(scope, memory) : {};
      await saveCheckpoint(this.#node, client.endpoint, checkpoint, resource.name, others);
      if (!watched) return;
      watched.memory.isChanged = false;
      watched.first = undefined;
    };
    const checkpoint = await loadCheckpoint(this.#node, client.endpoint, resource.name);
    if (!checkpoint) {
      await save(await checkpointNow(client, resource, feedQuery, options));
      return;
    }
    const readMatching = (ids: readonly unknown[]) =>
      readMatchingRows(client, resource, ids, query, options);
    const feed = new ChangeFeed(resource, checkpoint);
    for await (const { changes } of feed.read(client, feedQuery, options)) {
      for (const { id } of changes) changedLookups(this.#RED, this.#config, id);
      if (memory) {
        await this.#sendChanged(
          memory,
          changes,
          query.filters.length > 0 ? readMatching : undefined,
        );
      } else {
        await this.#sendAll(changes);
      }
    }
    await save(feed.checkpoint());
  }

  async #sendAll(changes: readonly Change[]): Promise<void> {
    const slices = new Slices();
    for (const change of changes) {
      if (slices.isOver) await slices.pause();
      this.#requireOpen();
      const event = this.#events.next(change);
      if (event && isWantedAction(this.#config, event.action)) this.#send(event);
    }
  }

  /** Sends the changes of the watched fields. */
  async #sendChanged(
    memory: FieldMemory,
    changes: readonly Change[],
    readMatching: Parameters<typeof changedEvents>[3],
  ): Promise<void> {
    const objects = changes.map((change): ChangedObject => {
      const action = this.#actionOf(change, memory);
      return { ...change, action, isWanted: isWantedAction(this.#config, action) };
    });
    for await (const event of changedEvents(memory, objects, new Slices(), readMatching)) {
      this.#requireOpen();
      this.#send(event);
    }
  }

  #actionOf({ key, isNew, isUpdated }: Change, memory: FieldMemory): 'CREATE' | 'UPDATE' {
    if (!isNew || memory.has(key)) return 'UPDATE';
    // Between two polls, a step may be created and started: that is also an update.
    return isUpdated && !isWantedAction(this.#config, 'CREATE') ? 'UPDATE' : 'CREATE';
  }

  /** The checkpoint stays, so the rest is read again. */
  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw closedError();
  }

  #send({
    row,
    ...event
  }: Pick<EventDetails, 'action' | 'id' | 'previous' | 'previousKnown'> & { row: Row }): void {
    const { resource } = this.#config;
    const receivedAt = new Date().toISOString();
    this.#node.send(eventMessage(row, { resource, ...event, receivedAt, via: 'poll' }));
    const updated = updatedOf(row);
    const changedAt = updated === null ? undefined : toMs(updated);
    findConfig(this.#RED, this.#config)?.events.add(changedAt);
    this.#count++;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#failedWith = undefined;
    this.#status.idle({ key: 'events.polled', fill: 'green', count: this.#count });
  }

  #failed(thrown: unknown, durationMs: number): void {
    const error = toIonError(thrown);
    if (this.#failures++ === 0) this.#failingSince = Date.now();
    if (UNREACHABLE.has(error.code)) {
      const since = timeOfDay(this.#failingSince);
      this.#status.idle({ key: 'events.unreachable', fill: 'yellow', since });
    } else {
      this.#status.idle(failedStatus(error));
    }
    // Reported once, not at every poll.
    if (this.#failedWith === error.code) return;
    this.#failedWith = error.code;
    reportFailure(this.#node, error, {} as Message, durationMs);
  }

  #delay(): number {
    if (this.#failures === 0) return this.#intervalMs;
    return delayAfterFailures(this.#intervalMs, this.#failures);
  }
}
