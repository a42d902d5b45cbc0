import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type IonErrorCode, toIonError } from '../../client/errors.js';
import { writeJson } from '../../client/support/long-json.js';
import { NotDeployed } from './deployed-config.js';
import { BadRequest } from './request.js';

/** A JSON text that is sent as it is. */
export class JsonText {
  /** Differs for each text. */
  readonly etag = `"${randomUUID()}"`;

  constructor(readonly bytes: Buffer) {}
}

/** A response that is not JSON with status 200. */
export class PlainResponse {
  constructor(
    readonly status: number,
    readonly contentType: string,
    readonly text: string,
  ) {}
}

/** A response for a client that already has the text. */
export class NotModified {
  constructor(readonly etag: string) {}
}

/** Sends the result of the work, or its failure with the details that a flow would get. */
export function respond(res: Response, work: (signal: AbortSignal) => Promise<unknown>): void {
  const left = new AbortController();
  res.on('close', () => left.abort());
  // An async function, so that a synchronous throw becomes a rejection.
  const result = async () => work(left.signal);
  result()
    .then((value) => sendJson(res, 200, value))
    .catch((thrown) => sendFailure(res, thrown))
    // The client has disconnected, or the response cannot be written.
    .catch(() => res.destroy());
}

function sendFailure(res: Response, thrown: unknown): Promise<void> {
  const error = toIonError(thrown);
  const { code, message, errors, data } = error;
  const short = { code, message, ...(error instanceof NotDeployed && { isDeployed: false }) };
  const status = error instanceof BadRequest ? error.httpStatus : httpStatus(code);
  return sendJson(res, status, { ...short, errors, data }).catch(() =>
    sendJson(res, status, short),
  );
}

async function sendJson(res: Response, status: number, body: unknown): Promise<void> {
  if (body instanceof NotModified) {
    if (!res.headersSent && !res.destroyed) res.status(304).set('etag', body.etag).end();
    return;
  }
  if (body instanceof PlainResponse) {
    if (res.headersSent || res.destroyed) return;
    res.status(body.status).set({ 'cache-control': 'no-store', 'content-type': body.contentType });
    res.end(body.text);
    return;
  }
  const bytes = body instanceof JsonText ? body.bytes : await writeJson(body);
  if (res.headersSent || res.destroyed) return;
  if (body instanceof JsonText) res.set({ etag: body.etag });
  res.status(status).set('cache-control', 'no-store').type('json').end(bytes);
}

/** Never 401 or 403: the editor would log its user out. */
function httpStatus(code: IonErrorCode): number {
  switch (code) {
    case 'ION_CONFIG':
      return 400;
    case 'ION_NOT_FOUND':
      return 404;
    case 'ION_TIMEOUT':
      return 504;
    default:
      return 502;
  }
}
