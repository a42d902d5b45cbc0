import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { start, type TestSandbox } from './client.js';

const BYTES = new TextEncoder().encode('time,torque\n0,10.5\n');
const CREATE = `mutation ($input: CreateFileAttachmentInput!) {
  createFileAttachment(input: $input) { uploadUrl
    fileAttachment { id filename contentType s3Key entityId downloadUrl } } }`;

describe('sandbox: uploads', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  after(() => sandbox.close());

  const entityId = async () => (await sandbox.ask('{ run(id: 1) { entityId } }')).run.entityId;
  const create = async (more: object = {}) =>
    (
      await sandbox.ask(CREATE, {
        input: { entityId: await entityId(), filename: 'example.csv', ...more },
      })
    ).createFileAttachment;
  const put = (url: string, headers: Record<string, string> = {}, body = BYTES) =>
    fetch(url, { method: 'PUT', headers: { 'content-type': 'text/csv', ...headers }, body });

  it('accepts a file in two calls', async () => {
    const { fileAttachment, uploadUrl } = await create();
    assert.equal(fileAttachment.contentType, 'text/csv');
    assert.equal(fileAttachment.downloadUrl, null);
    const response = await put(uploadUrl);
    assert.equal(response.status, 200);
    const md5 = createHash('md5').update(BYTES).digest('hex');
    assert.equal(response.headers.get('etag'), `"${md5}"`);

    const stored = sandbox.uploads.file(fileAttachment.s3Key);
    assert.equal(stored?.size, BYTES.length);
    assert.equal(stored?.sha256, createHash('sha256').update(BYTES).digest('hex'));
    const { fileAttachment: read, run } = await sandbox.ask(
      `{ fileAttachment(id: ${fileAttachment.id}) { downloadUrl }
        run(id: 1) { fileAttachments { id } } }`,
    );
    assert.ok(run.fileAttachments.some(({ id }: { id: number }) => id === fileAttachment.id));
    const download = await fetch(read.downloadUrl);
    assert.equal(download.headers.get('content-type'), 'text/csv');
    assert.deepEqual(new Uint8Array(await download.arrayBuffer()), BYTES);
  });

  it('accepts a file in three calls', async () => {
    const { requestFileUploadUrl } = await sandbox.ask(
      '{ requestFileUploadUrl(filename: "example.csv") { uploadUrl s3Key contentType } }',
    );
    const { contentType, s3Key, uploadUrl } = requestFileUploadUrl;
    const input = { entityId: await entityId(), filename: 'example.csv', s3Key };
    assert.match(await sandbox.refusal(CREATE, { input: { ...input, s3Etag: 'x' } }), /Nothing/);
    const response = await put(uploadUrl, { 'content-type': contentType });
    assert.match(await sandbox.refusal(CREATE, { input: { ...input, s3Etag: 'x' } }), /ETag/);
    const done = await create({ s3Key, s3Etag: response.headers.get('etag') });
    assert.equal(done.uploadUrl, null);
    assert.notEqual(done.fileAttachment.downloadUrl, null);
  });

  it('accepts each URL once', async () => {
    const { uploadUrl } = await create();
    assert.equal((await put(uploadUrl)).status, 200);
    assert.equal((await put(uploadUrl)).status, 403);
  });

  it('names files in URLs with the extension of their name, if it is a plain one', async () => {
    const extension = async (filename: string) => {
      const { uploadUrl } = await create({ filename });
      return extname(new URL(uploadUrl).pathname);
    };
    assert.equal(await extension('example.tar.gz'), '.gz');
    assert.equal(await extension('example'), '');
    assert.equal(await extension('example.%2e'), '');
  });

  it('rejects a URL after its expiry', async () => {
    const { uploadUrl } = await create();
    const now = Date.now;
    try {
      Date.now = () => now() + 6 * 60 * 1000;
      assert.equal((await put(uploadUrl)).status, 403);
    } finally {
      Date.now = now;
    }
  });

  it('rejects an Authorization header, like S3', async () => {
    const { uploadUrl } = await create();
    const response = await put(uploadUrl, { authorization: 'Bearer token' });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /Only one auth mechanism allowed/);
    assert.equal((await put(uploadUrl)).status, 200);
  });

  it('rejects another content type or a changed URL', async () => {
    const { uploadUrl } = await create();
    assert.equal((await put(uploadUrl, { 'content-type': 'text/plain' })).status, 403);
    assert.equal((await put(`${uploadUrl}0`)).status, 403);
    assert.equal((await fetch(uploadUrl)).status, 403);
  });

  it('streams large files', async () => {
    const { fileAttachment, uploadUrl } = await create({ filename: 'example.bin' });
    const size = 32 * 1024 * 1024;
    const body = new Uint8Array(size).fill(7);
    const response = await put(uploadUrl, { 'content-type': 'application/octet-stream' }, body);
    assert.equal(response.status, 200);
    assert.equal(sandbox.uploads.file(fileAttachment.s3Key)?.size, size);
  });

  it('needs an entity ID, not an ID', async () => {
    const input = { entityId: '1000', filename: 'example.csv' };
    assert.match(await sandbox.refusal(CREATE, { input }), /not found/);
  });

  it('keeps the assets that the content of a step shows apart from its attachments', async () => {
    const { step } = await sandbox.ask('{ step(id: 1) { entityId } }');
    const input = { entityId: step.entityId, filename: 'example.png' };
    const { createAsset } = await sandbox.ask(
      `mutation ($input: CreateFileAttachmentInput!) {
        createAsset(input: $input) { uploadUrl fileAttachment { id } } }`,
      { input },
    );
    await put(createAsset.uploadUrl, { 'content-type': 'image/png' });
    const files = async () => {
      const query =
        '{ step(id: 1) { assets { id downloadUrl } entity { assets { id } fileAttachments { id } } } }';
      return (await sandbox.ask(query)).step;
    };
    const { id } = createAsset.fileAttachment;
    const { assets, entity } = await files();
    assert.deepEqual(entity, { assets: [{ id }], fileAttachments: [] });
    assert.equal((await fetch(assets[0].downloadUrl)).status, 200);
    const { deleteAsset } = await sandbox.ask(
      `mutation ($input: DeleteFileAttachmentInput!) { deleteAsset(input: $input) { fileAttachmentId } }`,
      { input: { fileAttachmentId: id, entityId: step.entityId } },
    );
    assert.equal(deleteAsset.fileAttachmentId, id);
    assert.deepEqual((await files()).assets, []);
  });

  it('gives a URL as the value of an attribute that is a file', async () => {
    const { fileAttachment, uploadUrl } = await create();
    await put(uploadUrl);
    const { me } = await sandbox.ask('{ me { organization { id _etag } } }');
    const { id, _etag: etag } = me.organization;
    await sandbox.ask(
      `mutation ($input: UpdateAttributeSettingsInput!) {
        updateOrganizationSupplierAttributes(input: $input) { organization { id } } }`,
      { input: { id, etag, key: 'Brochure', type: 'FILE_ATTACHMENT' } },
    );
    const attributes = (value: unknown) => [{ key: 'Brochure', value }];
    const CREATE_SUPPLIER = `mutation ($input: CreateSupplierInput!) {
      createSupplier(input: $input) { supplier { attributes { type value fileAttachment { id } } } } }`;
    const { createSupplier } = await sandbox.ask(CREATE_SUPPLIER, {
      input: { name: 'Example Papers', attributes: attributes(fileAttachment.id) },
    });
    const [attribute] = createSupplier.supplier.attributes;
    assert.equal(attribute.type, 'FILE_ATTACHMENT');
    assert.deepEqual(attribute.fileAttachment, { id: fileAttachment.id });
    const download = await fetch(attribute.value);
    assert.deepEqual(new Uint8Array(await download.arrayBuffer()), BYTES);
    const input = { name: 'Example Lost', attributes: attributes(999) };
    assert.match(await sandbox.refusal(CREATE_SUPPLIER, { input }), /999 was not found/);
  });

  it('deletes an attachment from its entity', async () => {
    const { fileAttachment } = await create();
    const DELETE = `mutation ($input: DeleteFileAttachmentInput!) {
      deleteFileAttachment(input: $input) { fileAttachmentId } }`;
    const input = { fileAttachmentId: fileAttachment.id, entityId: 12 };
    assert.match(await sandbox.refusal(DELETE, { input }), /does not belong/);
    input.entityId = await entityId();
    await sandbox.ask(DELETE, { input });
    const read = await sandbox.ask(`{ fileAttachment(id: ${fileAttachment.id}) { id } }`);
    assert.equal(read.fileAttachment, null);
  });

  it('leaves no file behind', async () => {
    const other = await start({ runs: 1 });
    const { createFileAttachment } = await other.ask(CREATE, {
      input: { filename: 'example.csv' },
    });
    await put(createFileAttachment.uploadUrl);
    const path = other.uploads.file(createFileAttachment.fileAttachment.s3Key)?.path ?? '';
    assert.ok(existsSync(path));
    await other.close();
    assert.ok(!existsSync(path));
  });
});
