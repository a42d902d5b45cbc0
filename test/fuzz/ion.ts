import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  buildSchema,
  type FieldNode,
  introspectionFromSchema,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { httpServer, type TestServer } from '../support/servers.js';
import type { Json } from './values.js';

/** A server's reaction to one request. */
export interface Reply {
  status?: number;
  headers?: Record<string, string | string[]>;
  body: string | Buffer;
  /** Bytes of the body after which the connection breaks. */
  breakOffAt?: number;
  /** In ms, in the middle of the body. */
  pauseMs?: number;
}

export type Kind = 'api' | 'token' | 'storage';

/** Replacement of the correct response in a case. */
export type Answerer = (kind: Kind, right: Json, request: IncomingMessage) => Reply | undefined;

const ROWS = 3;
/** After this many responses to one case the correct one follows; the package ends endless lists sooner. */
const MAX_ANSWERS = 2000;
/** Total of all responses to one case, to limit the memory of this process. */
const MAX_CHARACTERS = 200_000_000;
const introspection = introspectionFromSchema(
  buildSchema('type Query { me: User runs(first: Int): [User] } type User { id: ID name: String }'),
);
const TOKEN: Json = { access_token: 'token', token_type: 'Bearer', expires_in: 300 };

/**
 * ION's API, its auth server and its storage. Under `/good` they respond correctly, under
 * `/hostile` and `/polled` as the current case says.
 */
export class FuzzIon {
  readonly url: string;
  /** Requests to the half that a case is about, since the case began. */
  requests = 0;
  #characters = 0;
  #answerer: Answerer | undefined;
  #half: 'hostile' | 'polled' = 'hostile';
  readonly #server: TestServer;

  static async start(): Promise<FuzzIon> {
    let ion: FuzzIon | undefined;
    const server = await httpServer((request, response) => {
      void ion?.answer(request, response).catch(() => response.destroy());
    });
    ion = new FuzzIon(server);
    return ion;
  }

  private constructor(server: TestServer) {
    this.#server = server;
    this.url = server.url;
  }

  /** From now on; without a responder all responses are correct. */
  answerBy(answerer?: Answerer, half: 'hostile' | 'polled' = 'hostile'): void {
    this.#answerer = answerer;
    this.#half = half;
    this.requests = 0;
    this.#characters = 0;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = request.url ?? '';
    const kind: Kind = url.endsWith('/token')
      ? 'token'
      : url.includes('/storage/')
        ? 'storage'
        : 'api';
    const right = this.#rightAnswer(kind, Buffer.concat(chunks));
    const isCase = url.startsWith(`/${this.#half}`) && ++this.requests <= MAX_ANSWERS;
    const isHostile = isCase && this.#characters < MAX_CHARACTERS;
    const reply = (isHostile && this.#answerer?.(kind, right, request)) || rightReply(kind, right);
    if (isHostile) this.#characters += reply.body.length;
    await send(response, reply);
  }

  #rightAnswer(kind: Kind, body: Buffer): Json {
    if (kind === 'token') return TOKEN;
    if (kind === 'storage') return null;
    try {
      const { query, variables } = JSON.parse(body.toString());
      return { data: rightData(String(query), variables ?? {}, this.url) };
    } catch {
      return { data: { me: { id: 6, name: 'Ada' } } };
    }
  }
}

function rightReply(kind: Kind, right: Json): Reply {
  if (kind === 'storage') return { headers: { etag: '"stored"' }, body: '' };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(right) };
}

/** The response to an operation of this form. */
function rightData(query: string, variables: Record<string, unknown>, url: string): Json {
  // A text that takes long to parse is not a valid query.
  if (query.length > 20_000) return { me: { id: 6, name: 'Ada' } };
  if (query.includes('__schema')) return introspection as unknown as Json;
  const document = parse(query, { noLocation: true, maxTokens: 5000 });
  const fragments = new Map<string, SelectionSetNode>();
  let root: SelectionSetNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition')
      fragments.set(definition.name.value, definition.selectionSet);
    else if (definition.kind === 'OperationDefinition') root ??= definition.selectionSet;
  }
  let fields = 0;
  const fill = (set: SelectionSetNode, row: number, depth: number): { [key: string]: Json } => {
    const result: { [key: string]: Json } = {};
    for (const selection of set.selections) {
      // Fragments may double without an end.
      if (++fields > 5000 || depth > 40) break;
      if (selection.kind === 'Field') {
        result[selection.alias?.value ?? selection.name.value] = field(selection, row, depth);
        continue;
      }
      const inner =
        selection.kind === 'InlineFragment'
          ? selection.selectionSet
          : fragments.get(selection.name.value);
      if (inner) Object.assign(result, fill(inner, row, depth + 1));
    }
    return result;
  };
  const field = (
    { name: { value: name }, selectionSet }: FieldNode,
    row: number,
    depth: number,
  ): Json => {
    if (!selectionSet) return leaf(name, row, variables, url);
    if (name === 'edges' || LISTS.has(name)) {
      return Array.from({ length: ROWS }, (_, index) => fill(selectionSet, index + 1, depth + 1));
    }
    return fill(selectionSet, row, depth + 1);
  };
  return root ? fill(root, 1, 0) : {};
}

const LISTS = new Set(['steps', 'fields', 'subscriptions', 'fileAttachments', 'parts']);
const FIELD_NAMES = ['Torque', 'Note', 'Choice'];
const FIELD_TYPES = ['NUMBER', 'STRING', 'SELECT'];

function leaf(name: string, row: number, variables: Record<string, unknown>, url: string): Json {
  switch (name) {
    case 'id':
    case 'runId':
    case 'runStepId':
    case 'entityId':
    case 'position':
      return row;
    case 'title':
      return row === 1 ? 'Assemble' : `Title ${row}`;
    case 'name':
      return FIELD_NAMES[row - 1] ?? 'Ada';
    case 'type':
      return FIELD_TYPES[row - 1] ?? 'STRING';
    case 'options':
      return row === 3 ? ['a', 'b'] : null;
    case 'status':
      return 'IN_PROGRESS';
    case '_created':
    case '_updated':
      return new Date(Date.now() - row * 1000).toISOString().replace('Z', '000+00:00');
    case '_etag':
      return `etag-${row}`;
    case 'hasNextPage':
    case 'hasPreviousPage':
      return false;
    case 'startCursor':
      return Buffer.from('arrayconnection:0').toString('base64');
    case 'endCursor':
      return Buffer.from(`arrayconnection:${ROWS - 1}`).toString('base64');
    case 'totalCount':
      return ROWS;
    case 'filename':
      return typeof variables.filename === 'string'
        ? variables.filename.slice(0, 1000)
        : 'report.txt';
    case 'uploadUrl':
    case 'downloadUrl':
      return `${url}/hostile/storage/file`;
    case 'contentType':
      return 'text/plain';
    case '__typename':
      return 'Query';
    case 'active':
      return true;
    default:
      return `${name} ${row}`;
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const { status = 200, headers = {}, body, breakOffAt, pauseMs } = reply;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    try {
      response.setHeader(name, value);
    } catch {
      // Not every text can be a header.
    }
  }
  if (breakOffAt === undefined && pauseMs === undefined) {
    response.end(body);
    return;
  }
  const bytes = Buffer.from(body as string);
  const half = breakOffAt ?? Math.floor(bytes.length / 2);
  if (breakOffAt !== undefined) response.setHeader('content-length', String(bytes.length + 1));
  response.write(bytes.subarray(0, half));
  await sleep(pauseMs ?? 10);
  if (breakOffAt !== undefined) response.destroy();
  else response.end(bytes.subarray(half));
}
