import type { IncomingMessage, ServerResponse } from 'node:http';

/** For the rest of a request that is answered already. */
const LINGER_MS = 2000;

/**
 * What is left of a request that was refused early is thrown away. Its connection lasts a moment: one
 * that is closed under a sender that still writes can lose the answer.
 */
export function answer(request: IncomingMessage, response: ServerResponse, status: number): void {
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
