import { randomUUID } from 'node:crypto';
import { Clock, normalizeTimestamp } from './clock.js';
import { type EntityType, parseEntityId } from './entities.js';
import type { Row, RowTypes, TypeName, WebhookAction } from './model.js';

/** Makes seeded rows only when somebody asks for them, so that 100,000 runs start at once. */
export interface RowSource {
  one(id: number): void;
  group(parentId: number): void;
  all(): void;
}

type Stamps = '_created' | '_updated' | '_etag' | 'createdById' | 'updatedById';
/** The input of insert(); missing stamps are filled in. */
export type NewRow<R extends Row> = Omit<R, 'id' | Stamps> & Partial<Pick<R, Stamps>>;

/** One write to one row. */
export interface Change {
  /** The GraphQL type of the row. */
  type: string;
  action: WebhookAction;
  row: Row;
  /** The row before it was updated. */
  before?: Row;
}

/** Reads one field of a row. */
export type Getter<R> = (row: R, store: Store) => unknown;

/** One table in memory, in the order of the ids. */
export class Table<R extends Row> {
  /** Counts writes, so that results can be kept until the next one. */
  version = 0;
  source: RowSource | undefined;
  /** A listener for every finished write, except those of the seed. */
  onChange: ((change: Change) => void) | undefined;
  readonly #rows = new Map<number, R>();
  readonly #groups = new Map<unknown, R[]>();
  #sorted: R[] = [];
  #dirty = false;
  #nextId = 1;

  constructor(
    readonly type: string,
    private readonly clock: Clock,
    /** The column whose equal values are looked up quickly; it never changes. */
    readonly parent?: keyof R,
  ) {}

  get(id: number): R | undefined {
    if (this.source && !this.#rows.has(id)) this.source.one(id);
    return this.#rows.get(id);
  }

  /** All rows, ordered by id. Not to be changed by the caller. */
  all(): readonly R[] {
    this.source?.all();
    if (this.#dirty) {
      this.#sorted = [...this.#rows.values()].sort((a, b) => a.id - b.id);
      this.#dirty = false;
    }
    return this.#sorted;
  }

  /** The rows that belong to one parent, ordered by id. */
  of(parentId: number): readonly R[] {
    this.source?.group(parentId);
    return this.#groups.get(parentId) ?? [];
  }

  find(test: (row: R) => boolean): R | undefined {
    return this.all().find(test);
  }

  /** Adds a finished row; used by the seed. */
  put(row: R): void {
    const last = this.#sorted.at(-1);
    if (!this.#dirty && (last === undefined || last.id < row.id)) this.#sorted.push(row);
    else this.#dirty = true;
    this.#rows.set(row.id, row);
    this.#nextId = Math.max(this.#nextId, row.id + 1);
    if (this.parent === undefined) return;
    const group = this.#groups.get(row[this.parent]);
    if (group) group.push(row);
    else this.#groups.set(row[this.parent], [row]);
  }

  /** The id of the row that is inserted next. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Keeps ids up to `lastId` free for rows that come later. */
  reserve(lastId: number): void {
    this.#nextId = Math.max(this.#nextId, lastId + 1);
  }

  insert(values: NewRow<R>, userId = 1): R {
    const now = this.clock.now();
    const row = {
      id: this.#nextId,
      _created: now,
      _updated: now,
      _etag: newEtag(),
      createdById: userId,
      updatedById: userId,
      ...values,
      // Safe: id, stamps and the rest of R are complete, which TypeScript cannot see for a generic R.
    } as unknown as R;
    this.put(row);
    this.version++;
    this.onChange?.({ type: this.type, action: 'CREATE', row });
    return row;
  }

  /** Changes a row; `_updated` and `_etag` move unless the patch sets them. */
  update(id: number, patch: Partial<Omit<R, 'id'>>, userId?: number): R {
    const row = this.get(id);
    if (!row) throw new RangeError(`${this.type} ${id} does not exist`);
    const before = { ...row };
    Object.assign(row, { _updated: this.clock.now(), _etag: newEtag() }, patch);
    if (userId !== undefined) row.updatedById = userId;
    row._updated = normalizeTimestamp(row._updated);
    this.version++;
    this.onChange?.({ type: this.type, action: 'UPDATE', row, before });
    return row;
  }

  delete(id: number): void {
    const row = this.get(id);
    if (!row) return;
    this.#rows.delete(id);
    this.#dirty = true;
    this.version++;
    if (this.parent !== undefined) {
      const group = this.#groups.get(row[this.parent]);
      group?.splice(group.indexOf(row), 1);
    }
    this.onChange?.({ type: this.type, action: 'DELETE', row });
  }
}

/** All data of one sandbox. */
export class Store {
  readonly clock = new Clock();
  /** A listener for every write to any table, with the number of its transaction. */
  onChange: ((change: Change, transactionId: number) => void) | undefined;
  /** Whether a run moves with its steps: its `_updated` and its etag change with each of them. */
  runsMoveWithSteps = () => false;
  #transactions = 0;
  #transaction: number | undefined;
  /** The runs that the transaction has to move, and those that it has changed itself. */
  readonly #behind = new Set<number>();
  readonly #moved = new Set<number>();
  readonly runs = new Table<RowTypes['Run']>('Run', this.clock);
  readonly runSteps = new Table<RowTypes['RunStep']>('RunStep', this.clock, 'runId');
  readonly runStepFields = new Table<RowTypes['RunStepField']>(
    'RunStepField',
    this.clock,
    'runStepId',
  );
  readonly procedures = new Table<RowTypes['Procedure']>('Procedure', this.clock);
  readonly parts = new Table<RowTypes['Part']>('Part', this.clock);
  readonly partInventories = new Table<RowTypes['PartInventory']>('PartInventory', this.clock);
  readonly locations = new Table<RowTypes['Location']>('Location', this.clock);
  readonly issues = new Table<RowTypes['Issue']>('Issue', this.clock, 'runStepId');
  readonly users = new Table<RowTypes['User']>('User', this.clock);
  readonly organizations = new Table<RowTypes['Organization']>('Organization', this.clock);
  readonly attributes = new Table<RowTypes['RunAttribute']>('RunAttribute', this.clock, 'ownerId');
  readonly sessions = new Table<RowTypes['Session']>('Session', this.clock, 'runStepId');
  readonly fileAttachments = new Table<RowTypes['FileAttachment']>(
    'FileAttachment',
    this.clock,
    'entityId',
  );
  readonly comments = new Table<RowTypes['Comment']>('Comment', this.clock);
  readonly apiKeys = new Table<RowTypes['APIKeyObject']>('APIKeyObject', this.clock);
  readonly webhookReceivers = new Table<RowTypes['WebhookReceiver']>('WebhookReceiver', this.clock);
  readonly webhookHeaders = new Table<RowTypes['WebhookHeader']>('WebhookHeader', this.clock);
  readonly webhookSubscriptions = new Table<RowTypes['WebhookSubscription']>(
    'WebhookSubscription',
    this.clock,
    'receiverId',
  );
  readonly webhookEvents = new Table<RowTypes['WebhookEvent']>(
    'WebhookEvent',
    this.clock,
    'subscriptionId',
  );

  readonly #tables = new Map<string, Table<Row>>();
  readonly #indexes = new Map<string, { version: number; groups: Map<unknown, Row[]> }>();

  constructor() {
    const typed: { [T in TypeName]: Table<RowTypes[T]> } = {
      Run: this.runs,
      RunStep: this.runSteps,
      RunStepField: this.runStepFields,
      Procedure: this.procedures,
      Part: this.parts,
      PartInventory: this.partInventories,
      Location: this.locations,
      Issue: this.issues,
      User: this.users,
      Organization: this.organizations,
      RunAttribute: this.attributes,
      Session: this.sessions,
      FileAttachment: this.fileAttachments,
      Comment: this.comments,
      APIKeyObject: this.apiKeys,
      WebhookReceiver: this.webhookReceivers,
      WebhookHeader: this.webhookHeaders,
      WebhookSubscription: this.webhookSubscriptions,
      WebhookEvent: this.webhookEvents,
    };

    // Tables differ only in their columns, which callers of table() read by name.
    for (const table of Object.values(typed) as unknown as Table<Row>[]) this.#add(table);
  }

  #add(table: Table<Row>): Table<Row> {
    table.onChange = (change) => this.#changed(change);
    this.#tables.set(table.type, table);
    return table;
  }

  #changed(change: Change): void {
    const { type, row } = change;
    if ((type !== 'Run' && type !== 'RunStep') || !this.runsMoveWithSteps()) {
      this.onChange?.(change, this.#transaction ?? ++this.#transactions);
      return;
    }
    this.transaction((number) => {
      this.onChange?.(change, number);
      if (type === 'Run') this.#moved.add(row.id);
      else this.#behind.add((row as RowTypes['RunStep']).runId);
    });
  }

  /** Groups all writes of the function into one transaction; otherwise each write is one. */
  transaction<T>(write: (number: number) => T): T {
    if (this.#transaction !== undefined) return write(this.#transaction);
    this.#transaction = ++this.#transactions;
    try {
      return write(this.#transaction);
    } finally {
      if (this.#behind.size + this.#moved.size > 0) this.#moveRuns();
      this.#transaction = undefined;
    }
  }

  #moveRuns(): void {
    for (const id of [...this.#behind]) {
      if (!this.#moved.has(id) && this.runs.get(id)) this.runs.update(id, {});
    }
    this.#behind.clear();
    this.#moved.clear();
  }

  /** The table of a GraphQL type. */
  table(type: string): Table<Row> {
    return this.#tables.get(type) ?? this.#add(new Table<Row>(type, this.clock));
  }

  /** All tables. */
  tables(): Iterable<Table<Row>> {
    return this.#tables.values();
  }

  /** The rows of a type whose column has a value, ordered by id. */
  of(type: string, column: string, value: number): readonly Row[] {
    const table = this.table(type);
    if (table.parent === column) return table.of(value);
    const key = `${type}.${column}`;
    let index = this.#indexes.get(key);
    if (index?.version !== table.version) {
      index = { version: table.version, groups: groupBy(table.all(), column) };
      this.#indexes.set(key, index);
    }
    return index.groups.get(value) ?? [];
  }

  /** Changes with every write to any table: derived values depend on several. */
  get version(): number {
    let version = 0;
    for (const table of this.#tables.values()) version += table.version;
    return version;
  }

  /** The row behind an entity id. */
  entity(entity: number): { type: EntityType; row: Row } | undefined {
    const target = parseEntityId(entity);
    const row = target && this.table(target.type).get(target.id);
    return target && row && { type: target.type, row };
  }
}

function groupBy(rows: readonly Row[], column: string): Map<unknown, Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const value = (row as unknown as Record<string, unknown>)[column];
    const group = groups.get(value);
    if (group) group.push(row);
    else groups.set(value, [row]);
  }
  return groups;
}

/** 32 hexadecimal digits, never the same twice. */
export function newEtag(): string {
  return randomUUID().replaceAll('-', '');
}
