import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const LIFETIME = 5 * 60 * 1000;
const SIZE_LIMIT = 1024 ** 3;
const PREFIX = '/uploads/';

const CONTENT_TYPES: Record<string, string> = {
  '.csv': 'text/csv',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

/** The content type of a file, by its name. */
export function contentTypeOf(filename: string): string {
  return CONTENT_TYPES[extname(filename).toLowerCase()] ?? 'application/octet-stream';
}

/** The extension of a file's name, which clients read from URLs as well; it leads to no other folder. */
function safeExtension(filename: string): string {
  const extension = extname(filename);
  return /^\.[A-Za-z0-9]{1,10}$/.test(extension) ? extension : '';
}

/** An object in the sandbox's stand-in for S3. */
export interface StoredFile {
  contentType: string;
  size: number;
  sha256: string;
  /** MD5 in quotes, as in the responses of S3. */
  etag: string;
  path: string;
}

interface Grant {
  key: string;
  contentType: string;
  expires: number;
  used: boolean;
}

/** The response of an object store is XML. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A small stand-in for S3: pre-signed URLs, and files in a folder; a temporary one until close(). */
export class Uploads {
  readonly #baseUrl: string;
  readonly #grants = new Map<string, Grant>();
  readonly #files = new Map<string, StoredFile>();
  readonly #kept: string | undefined;
  #temporary: Promise<string> | undefined;

  /** @param folder keeps the files after close() */
  constructor(baseUrl: string, folder?: string) {
    this.#baseUrl = baseUrl;
    this.#kept = folder;
  }

  /** The files by their key, for `restore`. */
  saved(): [string, Omit<StoredFile, 'path'>][] {
    return [...this.#files].map(([key, { path: _, ...file }]) => [key, file]);
  }

  /** Files that an earlier sandbox left in the folder. */
  restore(files: ReturnType<Uploads['saved']>): void {
    if (this.#kept === undefined) return;
    for (const [key, file] of files) {
      this.#files.set(key, { ...file, path: join(this.#kept, key) });
    }
  }

  /** Grants one upload. */
  request(filename: string): { uploadUrl: string; s3Key: string; contentType: string } {
    const s3Key = randomUUID() + safeExtension(filename);
    const contentType = contentTypeOf(filename);
    const uploadUrl = this.#grant(s3Key, contentType);
    return { uploadUrl, s3Key, contentType };
  }

  /** Checks that the bytes for a key have arrived and are the expected ones. */
  finished(s3Key: string, s3Etag: string): { s3Key: string; uploadUrl: null } {
    const file = this.#files.get(s3Key);
    if (!file) throw new Error(`Nothing has been uploaded for the key ${s3Key}.`);
    if (file.etag.replaceAll('"', '') !== s3Etag.replaceAll('"', '')) {
      throw new Error(`The ETag ${s3Etag} is not that of the file uploaded for ${s3Key}.`);
    }
    return { s3Key, uploadUrl: null };
  }

  /** The file that is stored under a key. */
  file(s3Key: string): StoredFile | undefined {
    return this.#files.get(s3Key);
  }

  /** A URL under which the file can be fetched for some minutes. */
  downloadUrl(s3Key: string): string | null {
    const file = this.#files.get(s3Key);
    return file ? this.#grant(s3Key, file.contentType) : null;
  }

  #grant(key: string, contentType: string): string {
    const signature = randomUUID();
    this.#grants.set(signature, { key, contentType, expires: Date.now() + LIFETIME, used: false });
    return `${this.#baseUrl}${PREFIX}${key}?X-Amz-Signature=${signature}`;
  }

  /** Whether a request is for this store. */
  static handles(request: IncomingMessage): boolean {
    return request.url?.startsWith(PREFIX) ?? false;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const grant = this.#check(request);
      if (request.method === 'PUT') await this.#put(grant, request, response);
      else await this.#get(grant, response);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // The rest of a refused body is read, so that the client reaches the response.
      request.resume();
      const xml = `<Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
      response.writeHead(error.status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
    }
  }

  #check(request: IncomingMessage): Grant {
    if (request.headers.authorization !== undefined) {
      throw new Refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    }
    const url = new URL(request.url ?? '', this.#baseUrl);
    const grant = this.#grants.get(url.searchParams.get('X-Amz-Signature') ?? '');
    if (!grant || `${PREFIX}${grant.key}` !== url.pathname) {
      throw new Refusal(403, 'SignatureDoesNotMatch', 'The signature does not match');
    }
    if (grant.used || grant.expires < Date.now()) {
      throw new Refusal(403, 'AccessDenied', 'Request has expired');
    }
    const stored = this.#files.has(grant.key);
    if (request.method === 'PUT' ? stored : request.method !== 'GET' || !stored) {
      throw new Refusal(403, 'SignatureDoesNotMatch', 'The signature is for another method');
    }
    return grant;
  }

  async #put(grant: Grant, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers['content-type'] !== grant.contentType) {
      throw new Refusal(403, 'SignatureDoesNotMatch', `Content-Type must be ${grant.contentType}`);
    }
    grant.used = true;
    const path = join(await this.#folder(), grant.key);
    const md5 = createHash('md5');
    const sha256 = createHash('sha256');
    let size = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        md5.update(chunk);
        sha256.update(chunk);
        if (size > SIZE_LIMIT) done(new Refusal(400, 'EntityTooLarge', 'More than 1 GiB'));
        else done(null, chunk);
      },
    });
    await pipeline(request, meter, createWriteStream(path));
    const etag = `"${md5.digest('hex')}"`;
    const { contentType, key } = grant;
    this.#files.set(key, { contentType, size, sha256: sha256.digest('hex'), etag, path });
    response.writeHead(200, { etag });
    response.end();
  }

  async #get(grant: Grant, response: ServerResponse): Promise<void> {
    const file = this.#files.get(grant.key);
    if (!file) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    response.writeHead(200, {
      'content-type': file.contentType,
      'content-length': file.size,
      etag: file.etag,
    });
    await pipeline(createReadStream(file.path), response);
  }

  async #folder(): Promise<string> {
    if (this.#kept !== undefined) return this.#kept;
    this.#temporary ??= mkdtemp(join(tmpdir(), 'ion-sandbox-'));
    return this.#temporary;
  }

  /** Removes the files in the temporary folder. */
  async close(): Promise<void> {
    if (this.#temporary) await rm(await this.#temporary, { recursive: true, force: true });
  }
}
