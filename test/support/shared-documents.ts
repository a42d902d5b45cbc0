import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  buildSchema,
  type ExecutionResult,
  execute,
  type GraphQLError,
  Kind,
  parse,
  validate,
} from 'graphql';
import { IonClient } from '../../nodes/client/client.js';
import type { IonClientSettings } from '../../nodes/client/ion-client-settings.js';
import { httpServer } from './servers.js';

/** The readings of how ION answers a document that fails in part. */
export interface Reading {
  /** Whether errors name their field. */
  paths: boolean;
  /** The status of a response with errors from fields. */
  status: number;
  /** Whether a response with errors from fields has no data at all. */
  dropsData: boolean;
  /** More root fields than this are refused. */
  maxFields: number;
}

export const USUAL: Reading = {
  paths: true,
  status: 200,
  dropsData: false,
  maxFields: Number.POSITIVE_INFINITY,
};

/** The fate of a whole request, by its number. */
export type RequestFault =
  | 'none'
  | 'reset before'
  | 'reset after'
  | '502 before'
  | '502 after'
  | '503 later'
  | '429'
  | '403 of a firewall'
  | 'half after';

const schema = buildSchema(`
  type Thing { id: ID! name: String inner: Thing broken: String }
  type Done { key: ID! note: String }
  type Query { thing(id: ID!, behave: String): Thing must(id: ID!, behave: String): Thing! }
  type Mutation {
    act(key: ID!, behave: String, number: Int): Done
    mustAct(key: ID!, behave: String, number: Int): Done!
  }
`);

const TEXTS: Record<string, string> = {
  refuse: 'The leak rate of this part is too high.',
  conflict: 'Etag does not match',
  forbid: 'User does not have permission to update this resource.',
  deadlock: '(psycopg2.errors.DeadlockDetected) deadlock detected',
  token: 'Token is expired.',
};

interface Given {
  key?: string;
  id?: string;
  behave?: string | null;
}

/** An ION that executes documents for real, and counts how often it executed each key. */
export class SharedDocumentServer {
  readonly executed = new Map<string, number>();
  /** Texts of the documents, the oldest first. */
  readonly documents: string[] = [];
  /** The `traceparent` of each document. */
  readonly traces: (string | string[] | undefined)[] = [];
  readonly bodies: { query: string; variables?: Record<string, unknown> }[] = [];
  reading = USUAL;
  fault: (count: number, text: string) => RequestFault = () => 'none';
  /** Resolves before a document is answered. */
  before: (text: string) => Promise<void> = async () => {};
  /** Parts that the schema lacks; their documents are refused. */
  lacks: string[] = [];
  /** Further texts of errors, by behaviour. */
  texts: Record<string, string> = {};
  #url = '';
  #close: () => Promise<void> = async () => {};

  static async start(): Promise<SharedDocumentServer> {
    const own = new SharedDocumentServer();
    const server = await httpServer((request, response) => void own.#handle(request, response));
    own.#url = server.url;
    own.#close = () => server.close();
    return own;
  }

  close(): Promise<void> {
    return this.#close();
  }

  client(more: Partial<IonClientSettings> = {}): IonClient {
    const key = { clientId: 'id', clientSecret: 'a secret of the test' };
    const urls = { apiUrl: this.#url, authUrl: this.#url };
    return new IonClient({ environment: 'custom', ...urls, key, authScheme: 'raw', ...more });
  }

  /** The number of root fields of each document. */
  get sizes(): number[] {
    return this.documents.map((text) => rootFields(text));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url?.endsWith('/token')) {
      const token = `token-${Math.random()}-${process.hrtime.bigint()}`;
      send(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 3600 });
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      query: string;
      variables?: Record<string, unknown>;
      operationName?: string;
    };
    this.documents.push(body.query);
    this.traces.push(request.headers.traceparent);
    this.bodies.push(body);
    const fault = this.fault(this.documents.length, body.query);
    await this.before(body.query);
    if (fault === 'reset before') return void request.socket.destroy();
    if (fault === '502 before') return void response.writeHead(502).end('<title>Bad</title>');
    if (fault === '429') return void response.writeHead(429).end();
    if (fault === '403 of a firewall') return void response.writeHead(403).end('<html>no</html>');
    if (fault === '503 later') {
      return void response.writeHead(503, { 'retry-after': '0' }).end();
    }
    const { status, json } = await this.#answer(body);
    if (fault === 'reset after') return void request.socket.destroy();
    if (fault === '502 after') return void response.writeHead(502).end('<title>Bad</title>');
    if (fault === 'half after') {
      const text = JSON.stringify(json);
      response.writeHead(200, { 'content-length': text.length });
      response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
      return;
    }
    send(response, status, json);
  }

  async #answer({
    query,
    variables,
    operationName,
  }: {
    query: string;
    variables?: Record<string, unknown>;
    operationName?: string;
  }): Promise<{ status: number; json: object }> {
    const { paths, status, dropsData, maxFields } = this.reading;
    const document = parse(query);
    if (rootFields(query) > maxFields) {
      return { status: 200, json: { errors: [{ message: 'The query is too complex.' }] } };
    }
    const lacking = this.lacks.find((field) => new RegExp(`\\b${field}\\b`).test(query));
    if (lacking !== undefined) {
      const message = `Cannot query field "${lacking}" on type "Done".`;
      return { status: 400, json: { errors: [{ message }] } };
    }
    const invalid = validate(schema, document);
    if (invalid.length > 0) return { status: 400, json: { errors: invalid } };
    const result = (await execute({
      ...{ schema, document, variableValues: variables ?? {}, operationName },
      rootValue: {
        thing: (given: Given) => this.#thing(given),
        must: (given: Given) => this.#thing(given),
        act: (given: Given) => this.#act(given),
        mustAct: (given: Given) => this.#act(given),
      },
    })) as ExecutionResult;
    if (!result.errors) return { status: 200, json: { ...result, extensions: { cost: 1 } } };
    // Values of variables are refused before anything is executed.
    if (!('data' in result)) return { status: 400, json: { errors: result.errors } };
    const errors = result.errors.map(({ message, path, locations }: GraphQLError) =>
      paths ? { message, path, locations } : { message },
    );
    const extensions = { cost: 1 };
    return { status, json: dropsData ? { errors } : { data: result.data, errors, extensions } };
  }

  #refuse(behave: string | null | undefined): void {
    const text = behave && { ...TEXTS, ...this.texts }[behave];
    if (text) throw new Error(text);
  }

  #thing({ id = '', behave }: Given): object | null {
    if (behave === 'null') return null;
    this.#refuse(behave);
    const broken = () => {
      if (behave === 'break inside') throw new Error('The name cannot be read.');
      return 'whole';
    };
    return { id, name: `thing ${id}`, broken, inner: () => ({ id: `${id}i`, name: 'inner' }) };
  }

  #act({ key = '', behave }: Given): object | null {
    this.#refuse(behave);
    this.executed.set(key, (this.executed.get(key) ?? 0) + 1);
    if (behave === 'null') return null;
    const note = () => {
      if (behave === 'break inside') throw new Error('The note cannot be read.');
      return `note ${key}`;
    };
    return { key, note };
  }
}

function rootFields(text: string): number {
  const document = parse(text);
  const operation = document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  return operation?.kind === Kind.OPERATION_DEFINITION
    ? operation.selectionSet.selections.length
    : 0;
}

function send(response: ServerResponse, status: number, json: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-b3-trace-id': 'abc123' });
  response.end(JSON.stringify(json));
}
