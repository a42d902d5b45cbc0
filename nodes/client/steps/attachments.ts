import type { IonClient } from '../client.js';
import { IonError, quote, toIonError } from '../errors.js';
import { lacksIn } from '../graphql/lacks.js';
import type { Operation } from '../graphql/operation.js';
import { ownOperation } from '../graphql/own-operation.js';
import { headerOf } from '../http/transport.js';
import type { Id } from '../support/known-columns.js';
import { isSameName } from '../support/name-matching.js';
import type { AttachmentFile } from './attachment-file.js';
import type { RequestScope } from './request-scope.js';

/** An attachment as ION returns it. */
export interface Attachment {
  id: number;
  filename?: string | null;
  contentType?: string | null;
  entityId: Id | null;
}

/** An earlier try to attach a file, whose response was lost. */
export interface EarlierTry {
  /** Ids of the attachments with this name that the step had before the try. */
  before?: readonly number[];
  /** The attachment that the try created before it sent the bytes. */
  attachment?: Attachment;
  /** Whether the earlier tries sent the bytes each time before they asked ION for the attachment. */
  isUploadedFirst?: boolean;
}

/** Called during a try, so that a later one knows of it. */
export interface TryProgress {
  /** Called before ION is asked for the attachment, with whether its bytes are there already. */
  creating?: (isUploaded: boolean) => Promise<void>;
  /** Called with the attachment that this try creates, before its bytes are sent. */
  created?: (attachment: Attachment) => Promise<void>;
}

interface StoredAttachment extends Attachment {
  downloadUrl?: string | null;
}

/** Permission to upload one file. */
interface UploadGrant {
  uploadUrl: string | null;
  contentType?: string | null | undefined;
}

const DEFAULT_TYPE = 'application/octet-stream';
const GRANT_QUERY = ownOperation(
  `query RequestFileUploadUrl($filename: String!) {
  requestFileUploadUrl(filename: $filename) {
    uploadUrl
    s3Key
    contentType
  }
}`,
);
/** The newer flow, whose file is already there. */
export const CREATE_UPLOADED_MUTATION = ownOperation(
  `mutation CreateFileAttachment($input: CreateFileAttachmentInput!) {
  createFileAttachment(input: $input) {
    fileAttachment {
      id
      ... on FileAttachment @wished { filename contentType entityId _etag }
    }
  }
}`,
);
/** The older flow, whose file must have the content type that ION names. */
const CREATE_MUTATION = ownOperation(
  `mutation CreateFileAttachment($input: CreateFileAttachmentInput!) {
  createFileAttachment(input: $input) {
    fileAttachment {
      id
      ... on FileAttachment @wished { filename }
      contentType
      ... on FileAttachment @wished { entityId _etag }
    }
    uploadUrl
  }
}`,
);
export const DELETE_MUTATION = ownOperation(
  `mutation DeleteFileAttachment($input: DeleteFileAttachmentInput!) {
  deleteFileAttachment(input: $input) { ... on DeleteFileAttachment @wished { fileAttachmentId } }
}`,
);
export const STEP_QUERY = ownOperation(
  `query RunStepAttachments($id: ID!) {
  runStep(id: $id) {
    fileAttachments {
      id
      filename
      ... on FileAttachment @wished { contentType entityId _etag downloadUrl }
    }
  }
}`,
);

/**
 * Attaches files by pre-signed URLs. ION publishes two flows. The newer one (ION's documentation)
 * requests a URL, uploads the file and then attaches it. The older one (ION's public schema and code)
 * attaches the file first and gets the URL in the response.
 */
export class Attachments {
  readonly #client: IonClient;
  /** Whether this ION knows the newer flow; `undefined` before the first file. */
  #hasNewerFlow: boolean | undefined;

  constructor(client: IonClient) {
    this.#client = client;
  }

  /**
   * Attaches a file to a step.
   * @param entityId the `entityId` of the step, which is not its id
   * @throws IonError
   */
  async attach(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
    progress: TryProgress = {},
  ): Promise<Attachment> {
    if (this.#hasNewerFlow !== false) {
      const attached = await this.#uploadFirst(file, entityId, requests, progress);
      if (attached) return attached;
    }
    return this.#attachFirst(file, entityId, requests, progress);
  }

  /**
   * The attachments of a step whose names differ from this one by nothing visible.
   * @throws IonError
   */
  async named(filename: string, stepId: Id, requests: RequestScope): Promise<StoredAttachment[]> {
    const { data } = await this.#send(requests, STEP_QUERY, { id: stepId });
    const step = data.runStep as { fileAttachments: (StoredAttachment | null)[] | null } | null;
    const attachments = Array.isArray(step?.fileAttachments) ? step.fileAttachments : [];
    const isNamed = (name: unknown) => typeof name === 'string' && isSameName(name, filename);
    return attachments.filter((each): each is StoredAttachment => isNamed(each?.filename));
  }

  /**
   * The attachment that an earlier try made, if all of its bytes arrived. An incomplete one is removed
   * if the earlier try is known to have created it. If this ION gives no URL of the bytes, only
   * an attachment that was made after them is complete: a file that is attached twice is a lesser evil
   * than one that is missing.
   * @throws IonError
   */
  async attachedEarlier(
    { filename, size }: AttachmentFile,
    stepId: Id,
    { before, attachment, isUploadedFirst = false }: EarlierTry,
    requests: RequestScope,
  ): Promise<Attachment | undefined> {
    if (!before && !attachment) return undefined;
    const named = await this.named(filename, stepId, requests);
    const isOwn = ({ id }: Attachment) =>
      attachment ? id === attachment.id : !before?.includes(id);
    for (const { downloadUrl, ...own } of named.filter(isOwn)) {
      const isComplete = downloadUrl
        ? await this.#isStored(downloadUrl, size, requests)
        : isUploadedFirst;
      if (isComplete) return own;
      if (attachment) await this.#remove({ ...attachment, ...own }, requests);
    }
    return undefined;
  }

  /** @throws IonError if the storage host does not give the size */
  async #isStored(downloadUrl: string, size: number, { signal }: RequestScope): Promise<boolean> {
    const url = uploadUrl(downloadUrl);
    const stored = await this.#client.storedObject(url, signal);
    if (stored.status >= 500 || stored.status === 429) throw storageError(url, stored.status, '');
    return stored.status >= 200 && stored.status <= 299 && stored.size === size;
  }

  async #remove({ id, entityId }: Attachment, requests: RequestScope): Promise<void> {
    const input = { fileAttachmentId: id, entityId };
    await requests.send(DELETE_MUTATION, { input });
  }

  /** Sends privately: a pre-signed URL in the response lets its holder read or write the file. */
  #send(requests: RequestScope, operation: Operation, variables: Record<string, unknown>) {
    return requests.send(operation, variables, { isPrivate: true });
  }

  /** @returns `undefined` if this ION knows only the older flow */
  async #uploadFirst(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
    { creating }: TryProgress,
  ): Promise<Attachment | undefined> {
    const { filename } = file;
    try {
      const { data } = await this.#send(requests, GRANT_QUERY, { filename });
      const grant = data.requestFileUploadUrl as (UploadGrant & { s3Key: string }) | null;
      if (!grant?.uploadUrl) return undefined;
      const s3Etag = await this.#upload(file, grant, requests);
      const input = { entityId, filename, s3Key: grant.s3Key, s3Etag };
      await creating?.(true);
      const created = await this.#send(requests, CREATE_UPLOADED_MUTATION, { input });
      this.#hasNewerFlow = true;
      return attachmentIn(created.data, entityId);
    } catch (thrown) {
      if (this.#hasNewerFlow || !isNotInSchema(thrown)) throw thrown;
      this.#hasNewerFlow = false;
      return undefined;
    }
  }

  async #attachFirst(
    file: AttachmentFile,
    entityId: Id,
    requests: RequestScope,
    { creating, created }: TryProgress,
  ): Promise<Attachment> {
    const { filename } = file;
    const input = { entityId, filename };
    await creating?.(false);
    const { data, dryRun } = await this.#send(requests, CREATE_MUTATION, { input });
    const attachment = attachmentIn(data, entityId);
    // Nothing was created, so that there is no URL to upload to.
    if (dryRun) return attachment;
    const { uploadUrl } = data.createFileAttachment as { uploadUrl: string | null };
    await created?.(attachment);
    try {
      await this.#upload(file, { uploadUrl, contentType: attachment.contentType }, requests);
    } catch (thrown) {
      // An attachment without content must not stay. The upload's error matters more than this one.
      await this.#remove(attachment, requests).catch(() => {});
      throw thrown;
    }
    return attachment;
  }

  /** @returns the ETag that the storage host gave the file */
  async #upload(file: AttachmentFile, grant: UploadGrant, requests: RequestScope): Promise<string> {
    const url = uploadUrl(grant.uploadUrl);
    const { status, headers, text } = await this.#client.upload({
      url,
      headers: { 'content-type': grant.contentType ?? DEFAULT_TYPE },
      size: file.size,
      body: file.read(),
      signal: requests.signal,
    });
    if (status < 200 || status > 299) throw storageError(url, status, text);
    // The quotes stay, because ION compares the ETag with the one that the storage host reports.
    return headerOf(headers, 'etag') ?? '';
  }
}

/** @param entityId of the step, because an ION may not return it */
function attachmentIn(data: Record<string, unknown>, entityId: Id): Attachment {
  const { fileAttachment } = (data.createFileAttachment ?? {}) as {
    fileAttachment?: Omit<Attachment, 'entityId'> | null;
  };
  if (fileAttachment) return { entityId, ...fileAttachment };
  const text =
    'ION returned no attachment. It may have been created. Check in ION before you send it again.';
  throw new IonError('ION_RESPONSE', text, { mayHaveRun: true });
}

function uploadUrl(url: string | null): URL {
  try {
    return new URL(url ?? '');
  } catch {
    // The text is not quoted, because it may grant an upload.
    throw new IonError('ION_RESPONSE', 'ION returned no valid URL for the upload of the file.');
  }
}

/** The failure of a storage host. S3 explains it in XML. */
function storageError({ host }: URL, status: number, text: string): IonError {
  const message = /<Message>([^<]{0,500})<\/Message>/.exec(text)?.[1];
  const transient = status >= 500 || status === 429 || status === 403;
  return new IonError(
    status >= 500 ? 'ION_SERVER' : 'ION_RESPONSE',
    `The storage host ${host} rejected the file (HTTP ${status}${message ? `: "${quote(message)}"` : ''}).`,
    { status, transient },
  );
}

function isNotInSchema(thrown: unknown): boolean {
  return lacksIn(toIonError(thrown)).length > 0;
}
