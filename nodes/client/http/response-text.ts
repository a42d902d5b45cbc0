import { isAscii, isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { IonError, quote } from '../errors.js';
import { inSlices } from '../support/slices.js';
import { codeOf, tooLargeError } from './network-errors.js';

/** Limit for a text that is decoded at once, in bytes. */
const MAX_DECODED_AT_ONCE = 512 * 1024;

type Decompress = (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>;
const decompressors = new Map([
  ['gzip', promisify(gunzip) as Decompress],
  ['x-gzip', promisify(gunzip) as Decompress],
  ['br', promisify(brotliDecompress) as Decompress],
]);

/**
 * The decompressed body of a response.
 * @param encoding the header `content-encoding`
 * @throws IonError `ION_RESPONSE`
 */
export async function decompress(
  { host }: URL,
  bytes: Buffer,
  encoding: string,
  maxBytes: number,
): Promise<Buffer> {
  if (encoding.toLowerCase() === 'identity' || bytes.length === 0) return bytes;
  const decompressor = decompressors.get(encoding.toLowerCase());
  if (!decompressor) {
    throw new IonError(
      'ION_RESPONSE',
      `The response of ${host} has an encoding that was not requested ("${quote(encoding)}").`,
      { transient: true, mayHaveRun: true },
    );
  }
  try {
    return await decompressor(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLargeError(host, maxBytes);
    throw new IonError('ION_RESPONSE', `The compressed response of ${host} is broken.`, {
      cause,
      transient: true,
      mayHaveRun: true,
    });
  }
}

/**
 * The text of a body in UTF-8. A long one is decoded in slices, to keep the event loop free.
 * @throws IonError `ION_RESPONSE`
 */
export function decode(url: URL, bytes: Buffer): string | Promise<string> {
  if (bytes.length > MAX_DECODED_AT_ONCE) return decodeInSlices(url.host, bytes);
  // Twice as fast, and most responses are of that kind.
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw notUtf8(url.host);
}

function decodeInSlices(host: string, bytes: Buffer): Promise<string> {
  return inSlices(async (slices) => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const pieces: string[] = [];
    for (let at = 0; at < bytes.length; at += MAX_DECODED_AT_ONCE) {
      const piece = bytes.subarray(at, at + MAX_DECODED_AT_ONCE);
      const stream = at + piece.length < bytes.length;
      try {
        pieces.push(decoder.decode(piece, { stream }));
      } catch {
        throw notUtf8(host);
      }
      if (slices.isOver) await slices.pause();
    }
    return pieces.join('');
  });
}

function notUtf8(host: string): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The response of ${host} is not valid UTF-8 text. A proxy or firewall in between may have damaged it.`,
    { transient: true, mayHaveRun: true },
  );
}
