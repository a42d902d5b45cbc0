import type { IncomingMessage, ServerResponse } from 'node:http';

/** Time for the rest of a request that already has its response. */
const LINGER_MS = 2000;

/**
 * Sends an empty response. The rest of an unfinished request is discarded, and its connection stays
 * open for a moment: closing it while the sender still writes can lose the response.
 */
export function respond(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (response.headersSent || response.writableEnded || response.destroyed) return;
  response.statusCode = status;
  if (!request.complete) endSoon(request);
  if (status === 503) response.setHeader('retry-after', '1');
  response.end();
  request.resume();
}

function endSoon(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
}
