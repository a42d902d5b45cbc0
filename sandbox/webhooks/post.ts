import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Refuses anything but the URL of an HTTP server. */
export function checkWebhookUri(uri: string): void {
  const scheme = URL.canParse(uri) ? new URL(uri).protocol : undefined;
  if (scheme !== 'http:' && scheme !== 'https:') {
    throw new Error(`"${uri}" is not an http or https URL.`);
  }
}

export interface DeliveryResponse {
  status: number;
  /** The body of the response, or its beginning if it is long. */
  text: string;
}

const TEXT_LIMIT = 64 * 1024;

/** Posts a body over a connection of its own; redirects are responses like any other. */
export async function post(
  uri: string,
  body: Buffer,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<DeliveryResponse> {
  const response = await answer(uri, body, headers, signal);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= TEXT_LIMIT) break;
  }
  const text = Buffer.concat(chunks).subarray(0, TEXT_LIMIT).toString();
  return { status: response.statusCode ?? 0, text };
}

/** Why a request failed, in a few words. */
export function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  // A host with several addresses fails with a code alone.
  return message || code || String(error);
}

function answer(
  uri: string,
  body: Buffer,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(uri);
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, { method: 'POST', headers, agent: false, signal }, resolve);
    request.on('error', reject);
    request.end(body);
  });
}
