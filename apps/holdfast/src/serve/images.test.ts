import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { checkImages } from './images.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function image(name: string): string {
  const location = path.join(folder, name);
  mkdirSync(path.dirname(location), { recursive: true });
  writeFileSync(location, 'disk');
  return location;
}

function refusal(...paths: string[]): HoldfastError {
  try {
    checkImages(paths, false);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('they were accepted');
}

test('images are exported under their file names, from absolute paths', () => {
  const given = path.relative(process.cwd(), image('a disk.img'));
  expect(checkImages([given], false)).toEqual([
    { name: 'a disk.img', path: path.join(folder, 'a disk.img') },
  ]);
});

describe('what cannot be served is refused in one sentence', () => {
  test('one that does not exist', () => {
    const given = path.join(folder, 'absent.img');
    expect(refusal(image('there.img'), given)).toMatchObject({
      code: 'DEVICE_OPEN_FAILED',
      message: `${given} does not exist`,
    });
  });

  test('one behind a file', () => {
    const given = path.join(image('disk.img'), 'inside.img');
    expect(refusal(given).message).toMatch(/inside\.img cannot be used: ENOTDIR/);
  });

  test('a folder', () => {
    expect(refusal(folder)).toMatchObject({
      code: 'DEVICE_UNSUITABLE',
      message: `${folder} is neither an image file nor a block device`,
    });
  });

  test('one with a name that no export can have', () => {
    expect(refusal(image('new\nline.img'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('two that cannot be served together', () => {
  test('the same image, however it is written', () => {
    const given = image('disk.img');
    const other = path.join(folder, '.', '..', path.basename(folder), 'disk.img');
    expect(refusal(given, `${folder}/./disk.img`)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `${folder}/./disk.img is given twice; give it once`,
    });
    expect(refusal(given, other).message).toContain('is given twice; give it once');
  });

  test.each([
    ['a symbolic link', symlinkSync],
    ['a hard link', linkSync],
  ])('the same image by %s', (_how, makeLink) => {
    const given = image('disk.img');
    const link = path.join(folder, 'link.img');
    makeLink(given, link);
    expect(refusal(given, link).message).toBe(`${given} and ${link} are the same image; give it once`);
  });

  test('two images of one file name', () => {
    const [one, two] = [image('a/disk.img'), image('b/disk.img')];
    const { message } = refusal(one, two);
    expect(message).toContain(`${one} and ${two} would both be exported as "disk.img"; rename one`);
    expect(message).toContain('`holdfast device add`');
  });

  test('names that only look alike are two', () => {
    expect(checkImages([image('disk.img'), image('DISK.img')], false)).toHaveLength(2);
  });
});
