import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import {
  dropCache,
  fileSystemOf,
  makeFolder,
  makeImage,
  removeFolder,
  residentBytes,
  warm,
} from './images.js';

const SIZE = 16 << 20;
const knowsResidency = spawnSync('fincore', ['--version']).status === 0;
const hasTmpfs = existsSync('/dev/shm') && fileSystemOf('/dev/shm') === 'tmpfs';
const onDisk = fileSystemOf(tmpdir()) !== 'tmpfs';

describe.skipIf(!knowsResidency)(`an image${knowsResidency ? '' : ' [skipped: needs fincore]'}`, () => {
  let folder = '';
  afterEach(() => {
    removeFolder(folder);
  });

  async function image(parent: string) {
    folder = makeFolder(parent);
    const file = path.join(folder, 'disk.img');
    await makeImage(file, SIZE);
    return file;
  }

  it.skipIf(!onDisk)(
    'is warm when it is made, cold when it was dropped, and warm when it was read again',
    async () => {
      const file = await image(tmpdir());
      expect(residentBytes(file)).toBe(SIZE);
      await dropCache(file);
      expect(residentBytes(file)).toBe(0);
      await warm(file);
      expect(residentBytes(file)).toBe(SIZE);
    },
  );

  it.skipIf(!hasTmpfs)('that cannot be dropped is not said to be cold', async () => {
    await expect(dropCache(await image('/dev/shm'))).rejects.toThrow('this is no cold read');
  });
});
