import { constants } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import type { IonClient } from '../client.js';
import { IonError, quote, reasonOf, toIonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import { codeOf } from '../http/network-errors.js';
import { headerOf } from '../http/transport.js';
import type { Id } from './known-columns.js';
import { isSameName } from './name-matching.js';
import type { RequestScope } from './request-scope.js';

/** A file that is to be attached. */
export interface AttachmentFile {
  filename: string;
  /** In bytes. */
  size: number;
  /** Its bytes, from the beginning each time. */
  read(): AsyncIterable<Uint8Array>;
  /** What they were made of, where that was in memory. */
  content?: Uint8Array | string;
}

/** An attachment as ION returns it. */
export interface Attachment {
  id: number;
  filename: string | null;
  contentType: string | null;
  entityId: number | null;
}

interface Grant {
  uploadUrl: string | null;
  contentType: string | null;
}

const PIECE = 64 * 1024;
const DEFAULT_TYPE = 'application/octet-stream';
const ATTACHMENT = 'id filename contentType entityId _etag';
const GRANT_QUERY =
  'query RequestFileUploadUrl($filename: String!) { requestFileUploadUrl(filename: $filename) { uploadUrl s3Key contentType } }';
const CREATE_MUTATION = `mutation CreateFileAttachment($input: CreateFileAttachmentInput!) { createFileAttachment(input: $input) { fileAttachment { ${ATTACHMENT} } uploadUrl } }`;
const DELETE_MUTATION =
  'mutation DeleteFileAttachment($input: DeleteFileAttachmentInput!) { deleteFileAttachment(input: $input) { __typename } }';
const OF_STEP_QUERY = `query RunStepAttachments($id: ID!) { runStep(id: $id) { fileAttachments { ${ATTACHMENT} downloadUrl } } }`;

/** What GraphQL says of a field or an argument that a schema does not have. */
const NOT_IN_SCHEMA = /cannot query field|is not defined by type|unknown (argument|field)/i;

/** Bytes, or a text as UTF-8, that are in memory. */
export function fileOf(filename: string, content: Uint8Array | string): AttachmentFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return {
    filename,
    size: bytes.length,
    content,
    async *read() {
      for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
    },
  };
}

/**
 * A file on disk, which is never held in memory.
 * @param followsLinks whether a symbolic link stands for what it leads to; true by default
 * @throws IonError `ION_NOT_FOUND` where it cannot be read
 */
export async function fileAt(
  path: string,
  filename: string,
  { followsLinks = true } = {},
): Promise<AttachmentFile> {
  try {
    const found = await (followsLinks ? stat : lstat)(path);
    if (!found.isFile()) throw new Error('it is not a file');
    const { size } = found;
    return { filename, size, read: () => begin(path, size, followsLinks) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function* begin(
  path: string,
  size: number,
  followsLinks: boolean,
): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  try {
    // Windows has no such flag.
    const noLinks = constants.O_NOFOLLOW ?? 0;
    const file = await open(path, constants.O_RDONLY | (followsLinks ? 0 : noLinks));
    // Without what is written to it meanwhile: the size was announced.
    yield* file.createReadStream({ end: size - 1 });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): IonError {
  const text = `The file ${quote(path)} cannot be read: ${quote(reasonOf(cause))}.`;
  // Anything else, such as too many open files, may pass.
  const isMissing = ['ENOENT', 'ENOTDIR', ''].includes(codeOf(cause));
  return new IonError(isMissing ? 'ION_NOT_FOUND' : 'ION_CONFIG', text, { cause });
}

/**
 * Attaches files by pre-signed URLs. ION publishes two ways: the newer one asks
 * for a URL, uploads and attaches; the older one attaches first and answers with the URL.
 */
export class Attachments {
  readonly #client: IonClient;
  /** Not known before the first file. */
  #hasNewerWay: boolean | undefined;

  constructor(client: IonClient) {
    this.#client = client;
  }

  /**
   * @param entityId of the step, which is not its id
   * @param created hears of an attachment whose bytes are still to be sent
   * @throws IonError
   */
  async attach(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
    created?: (attachment: Attachment) => Promise<void>,
  ): Promise<Attachment> {
    if (this.#hasNewerWay !== false) {
      const attached = await this.#uploadFirst(file, entityId, requests);
      if (attached) return attached;
    }
    return this.#attachFirst(file, entityId, requests, created);
  }

  /** Those of this name on a step, composed or decomposed. */
  async named(
    filename: string,
    stepId: Id,
    requests: RequestScope,
  ): Promise<(Attachment & { downloadUrl: string | null })[]> {
    const { data } = await this.#send(requests, OF_STEP_QUERY, { id: stepId });
    type Found = Attachment & { downloadUrl: string | null };
    const step = data.runStep as { fileAttachments: (Found | null)[] | null } | null;
    const found = Array.isArray(step?.fileAttachments) ? step.fileAttachments : [];
    const isNamed = (name: unknown) => typeof name === 'string' && isSameName(name, filename);
    return found.filter((each): each is Found => isNamed(each?.filename));
  }

  /**
   * Whether the bytes of an attachment have arrived.
   * @throws IonError where the storage host does not say
   */
  async isComplete(
    { downloadUrl }: { downloadUrl: string | null },
    size: number,
    { signal }: RequestScope,
  ): Promise<boolean> {
    if (!downloadUrl) return false;
    const url = parseUrl(downloadUrl);
    const stored = await this.#client.storedObject(url, signal);
    if (stored.status >= 500 || stored.status === 429) throw refusedUpload(url, stored.status, '');
    return stored.status >= 200 && stored.status <= 299 && stored.size === size;
  }

  /** Takes an attachment away whose bytes never arrived. */
  async remove({ id, entityId }: Attachment, requests: RequestScope): Promise<void> {
    const input = { fileAttachmentId: id, entityId };
    await requests.send(parseOperation(DELETE_MUTATION), { input });
  }

  /** Answers hold pre-signed URLs: whoever has one may read or write the file. */
  #send(requests: RequestScope, text: string, variables: Record<string, unknown>) {
    return requests.send(parseOperation(text), variables, { isPrivate: true });
  }

  /** @returns `undefined` where this ION knows only the older way */
  async #uploadFirst(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
  ): Promise<Attachment | undefined> {
    const { filename } = file;
    try {
      const { data } = await this.#send(requests, GRANT_QUERY, { filename });
      const grant = data.requestFileUploadUrl as (Grant & { s3Key: string }) | null;
      if (!grant?.uploadUrl) return undefined;
      const s3Etag = await this.#upload(file, grant, requests);
      const input = { entityId, filename, s3Key: grant.s3Key, s3Etag };
      const created = await this.#send(requests, CREATE_MUTATION, { input });
      this.#hasNewerWay = true;
      return attachmentOf(created.data);
    } catch (thrown) {
      if (this.#hasNewerWay || !isNotInSchema(thrown)) throw thrown;
      this.#hasNewerWay = false;
      return undefined;
    }
  }

  async #attachFirst(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
    created?: (attachment: Attachment) => Promise<void>,
  ): Promise<Attachment> {
    const { filename } = file;
    const input = { entityId, filename };
    const { data } = await this.#send(requests, CREATE_MUTATION, { input });
    const attachment = attachmentOf(data);
    const { uploadUrl } = data.createFileAttachment as { uploadUrl: string | null };
    await created?.(attachment);
    try {
      await this.#upload(file, { uploadUrl, contentType: attachment.contentType }, requests);
    } catch (thrown) {
      // Else it would stay there without a content; the reason for the failure counts more.
      await this.remove(attachment, requests).catch(() => {});
      throw thrown;
    }
    return attachment;
  }

  /** @returns the ETag under which the storage host keeps it */
  async #upload(file: AttachmentFile, grant: Grant, requests: RequestScope): Promise<string> {
    const url = parseUrl(grant.uploadUrl);
    const { status, headers, text } = await this.#client.upload({
      url,
      headers: { 'content-type': grant.contentType ?? DEFAULT_TYPE },
      size: file.size,
      body: file.read(),
      signal: requests.signal,
    });
    if (status < 200 || status > 299) throw refusedUpload(url, status, text);
    // As it came, with its quotes: ION compares it with what the storage host tells.
    return headerOf(headers, 'etag') ?? '';
  }
}

function attachmentOf(data: Record<string, unknown>): Attachment {
  const created = data.createFileAttachment as { fileAttachment: Attachment | null } | null;
  if (created?.fileAttachment) return created.fileAttachment;
  const text = 'ION answered no attachment. It may exist: look in ION before you repeat it.';
  throw new IonError('ION_RESPONSE', text, { mayHaveRun: true }).with({ isUncertain: true });
}

function parseUrl(uploadUrl: string | null): URL {
  try {
    return new URL(uploadUrl ?? '');
  } catch {
    // Without the text, which may hold the permission to upload.
    throw new IonError('ION_RESPONSE', 'ION answered no URL to upload the file to.');
  }
}

/** The storage host answers in XML (S3). */
function refusedUpload({ host }: URL, status: number, text: string): IonError {
  const said = /<Message>([^<]{0,500})<\/Message>/.exec(text)?.[1];
  const transient = status >= 500 || status === 429 || status === 403;
  return new IonError(
    status >= 500 ? 'ION_SERVER' : 'ION_RESPONSE',
    `The storage host ${host} refuses the file (HTTP ${status}${said ? `: "${quote(said)}"` : ''}).`,
    { status, transient },
  );
}

function isNotInSchema(thrown: unknown): boolean {
  const { code, message } = toIonError(thrown);
  return code === 'ION_GRAPHQL' && NOT_IN_SCHEMA.test(message);
}
