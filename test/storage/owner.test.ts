import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFolder, makeFolders, refuseLinks } from '../../nodes/storage/folder.js';
import { storeError } from '../../nodes/storage/store-error.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { failure } from '../support/errors.js';

describe('storage: errors name whose data is concerned', () => {
  const folder = useTemporaryFolder();
  const owner = { name: 'memory of a test', advice: 'Nothing is lost.' };

  it('for a failure of the disk that may pass', () => {
    const thrown = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    assert.equal(
      storeError({ folder: '/data', owner }, thrown).message,
      'The memory of a test in /data cannot be used for now: EIO: i/o error. Nothing is lost.',
    );
  });

  it('for a link in the place of a folder', async () => {
    const place = join(folder.path, 'place');
    await mkdir(place);
    const link = join(place, 'link');
    await symlink(folder.path, link, 'dir');
    const text = `The memory of a test cannot be stored in ${link}, because that is a symbolic link. Nothing was changed. Move it away; the memory of a test then creates its folder.`;
    for (const refusal of [
      isFolder(link, owner),
      makeFolders({ folder: link, owner }, []),
      refuseLinks({ folder: place, owner }),
    ]) {
      assert.equal((await failure(refusal, 'ION_CONFIG')).message, text);
    }
  });
});
