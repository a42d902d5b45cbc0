import type { IncomingMessage } from 'node:http';

const LARGEST_BODY = 1024 * 1024;
const LONGEST_BODY_MS = 10_000;
/** Bytes of all bodies that are being read, before anybody has shown a signature. */
const LARGEST_SUM = 32 * 1024 * 1024;

/** The HTTP status to answer with instead. */
export interface BodyRefusal {
  status: 400 | 408 | 413 | 415 | 503;
}

/** Reads the bytes of request bodies, as much of them as memory is meant for. */
export class WebhookBodies {
  #sum = 0;

  /** `undefined` where the sender broke off, so that nobody waits for an answer. */
  read(request: IncomingMessage): Promise<Buffer | BodyRefusal | undefined> {
    const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers;
    if (encoding.toLowerCase() !== 'identity') return Promise.resolve({ status: 415 });
    if (Number(length) > LARGEST_BODY) return Promise.resolve({ status: 413 });
    // Something before this node took the bytes, so that no signature can be checked.
    if (request.readableEnded) return Promise.resolve({ status: 400 });
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (result: Buffer | BodyRefusal | undefined) => {
        clearTimeout(timer);
        request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
        // One that breaks off later is nobody's failure.
        request.on('error', () => {});
        this.#sum -= size;
        resolve(result);
      };
      const onData = (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        this.#sum += chunk.length;
        if (size > LARGEST_BODY) end({ status: 413 });
        else if (this.#sum > LARGEST_SUM) end({ status: 503 });
      };
      const onEnd = () => end(Buffer.concat(chunks, size));
      const onClose = () => end(undefined);
      const timer = setTimeout(() => end({ status: 408 }), LONGEST_BODY_MS);
      request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
    });
  }
}
