import { contentTypeOf } from '../../http/uploads.js';
import { existing, type Mutation, withInput } from './common.js';

interface CreateInput {
  entityId?: string | null;
  filename?: string | null;
  integrationId?: string | null;
  integrationFetchUrl?: string | null;
  file?: unknown;
  s3Key?: string | null;
  s3Etag?: string | null;
}

/** Without s3Key the response says where to put the bytes; with it they are stored already. */
const creation = (isAsset: boolean) =>
  withInput<CreateInput>((input, { store, uploads, user, control }) => {
    const entityId = input.entityId ? Number(input.entityId) : null;
    if (entityId !== null && !store.entity(entityId)) {
      throw new Error(`Entity with id ${entityId} was not found.`);
    }
    if (input.file) throw new Error('Uploads through GraphQL are not part of this sandbox.');
    const hasContent = input.s3Key || input.integrationFetchUrl;
    if (control.settings.uploadFlow === 'three-calls' && !hasContent) {
      throw new Error('An s3Key is required: requestFileUploadUrl returns one.');
    }
    const filename = input.filename || 'file';
    const upload = input.s3Key
      ? uploads.finished(input.s3Key, input.s3Etag ?? '')
      : uploads.request(filename);
    const fileAttachment = store.fileAttachments.insert(
      {
        filename,
        contentType: contentTypeOf(filename),
        s3Bucket: 'sandbox',
        s3Key: upload.s3Key,
        entityId,
        integrationId: input.integrationId ?? null,
        integrationFetchUrl: input.integrationFetchUrl ?? null,
        isAsset,
      },
      user.id,
    );
    return { fileAttachment, uploadUrl: input.s3Key ? null : upload.uploadUrl };
  });

const deletion = withInput<{ fileAttachmentId: string; entityId: string }>((input, { store }) => {
  const attachment = existing(store.fileAttachments, input.fileAttachmentId);
  if (attachment.entityId !== Number(input.entityId)) {
    throw new Error(`Attachment ${attachment.id} does not belong to entity ${input.entityId}.`);
  }
  store.fileAttachments.delete(attachment.id);
  return { fileAttachmentId: attachment.id, entityId: attachment.entityId };
});

/** Files of a thing: those attached to it, and the assets that its content shows. */
export const attachmentMutations: Record<string, Mutation> = {
  createFileAttachment: creation(false),
  createAsset: creation(true),
  deleteFileAttachment: deletion,
  deleteAsset: deletion,
};
