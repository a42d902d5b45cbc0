import type { IncomingMessage } from 'node:http';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_BODY_MS = 10_000;
const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024;
const MAX_UNFINISHED = 1000;

/** The HTTP status of the rejection. */
export interface BodyRefusal {
  status: 400 | 408 | 413 | 415 | 503;
}

/** The bytes of a body; `undefined` if the sender closed the connection and needs no response. */
export type BodyResult = Buffer | BodyRefusal | undefined;

interface Limits {
  /** The memory of all unfinished bodies together. */
  bytes: number;
  /** Unfinished bodies at once. */
  count: number;
}

/**
 * Reads the bytes of request bodies within a budget. A body that would exceed it ends the oldest
 * unfinished one, so a fast delivery never waits for one that does not end.
 */
export class WebhookBodies {
  readonly #limits: Limits;
  /** In the order of their arrival. */
  readonly #unfinished = new Set<UnfinishedBody>();
  #bytes = 0;

  constructor(limits: Limits = { bytes: MAX_UNFINISHED_BYTES, count: MAX_UNFINISHED }) {
    this.#limits = limits;
  }

  get unfinished(): Limits {
    return { bytes: this.#bytes, count: this.#unfinished.size };
  }

  read(request: IncomingMessage): Promise<BodyResult> {
    const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers;
    if (encoding.toLowerCase() !== 'identity') return Promise.resolve({ status: 415 });
    if (Number(length) > MAX_BODY_BYTES) return Promise.resolve({ status: 413 });
    if (request.destroyed && !request.readableEnded) return Promise.resolve(undefined);
    // Other middleware has consumed the bytes, so the signature cannot be checked.
    if (request.readableEnded) return Promise.resolve({ status: 400 });
    return new Promise((resolve) => {
      const body = new UnfinishedBody(request, {
        grew: (bytes) => {
          this.#bytes += bytes;
          this.#keepWithinLimits();
        },
        ended: (result) => {
          this.#unfinished.delete(body);
          this.#bytes -= body.bytes;
          resolve(result);
        },
      });
      this.#unfinished.add(body);
      this.#keepWithinLimits();
    });
  }

  #keepWithinLimits(): void {
    for (const oldest of this.#unfinished) {
      if (this.#bytes <= this.#limits.bytes && this.#unfinished.size <= this.#limits.count) return;
      oldest.end({ status: 503 });
    }
  }
}

/** The budget of all nodes in this process. */
export const webhookBodies = new WebhookBodies();

interface BodyListener {
  /** The body uses more memory. */
  grew(bytes: number): void;
  /** Called once, after all listeners of the request were removed. */
  ended(result: BodyResult): void;
}

/** A body that arrives, in one buffer: small chunks would use many times their bytes. */
class UnfinishedBody {
  readonly #request: IncomingMessage;
  readonly #listener: BodyListener;
  readonly #timer: NodeJS.Timeout;
  #buffer = Buffer.alloc(0);
  #size = 0;
  #isOver = false;

  constructor(request: IncomingMessage, listener: BodyListener) {
    this.#request = request;
    this.#listener = listener;
    this.#timer = setTimeout(() => this.end({ status: 408 }), MAX_BODY_MS);
    request.on('data', this.#onData).on('end', this.#onEnd);
    request.on('close', this.#onClose).on('error', this.#onClose);
  }

  /** The memory that the body uses. */
  get bytes(): number {
    return this.#buffer.length;
  }

  end(result: BodyResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#request.off('data', this.#onData).off('end', this.#onEnd);
    this.#request.off('close', this.#onClose).off('error', this.#onClose);
    // An interruption after the end is no failure.
    this.#request.on('error', () => {});
    this.#listener.ended(result);
  }

  #grow(size: number): void {
    const buffer = Buffer.allocUnsafeSlow(Math.min(MAX_BODY_BYTES, Math.max(size, 2 * this.bytes)));
    const grownBy = buffer.length - this.bytes;
    this.#buffer.copy(buffer, 0, 0, this.#size);
    this.#buffer = buffer;
    this.#listener.grew(grownBy);
  }

  readonly #onData = (chunk: Buffer): void => {
    const size = this.#size + chunk.length;
    if (size > MAX_BODY_BYTES) {
      this.end({ status: 413 });
      return;
    }
    if (size > this.bytes) this.#grow(size);
    if (this.#isOver) return;
    chunk.copy(this.#buffer, this.#size);
    this.#size = size;
  };

  readonly #onEnd = (): void => this.end(this.#buffer.subarray(0, this.#size));

  readonly #onClose = (): void => this.end(undefined);
}
