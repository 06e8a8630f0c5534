import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeNewFolder } from './write-new-folder.js';

const files = new Map([
  ['a.pem', 'A'],
  ['deep/er/b.pem', 'B'],
]);

let parent: string;

beforeEach(() => {
  parent = temporaryFolder();
});

const at = (name: string) => path.join(parent, name);
const modeOf = (name: string) => (statSync(at(name)).mode & 0o777).toString(8);

test('makes every file and folder for the user alone, whatever the umask', () => {
  const before = process.umask(0);
  onTestFinished(() => {
    process.umask(before);
  });
  writeNewFolder(at('new/tls'), files);
  expect(readFileSync(at('new/tls/deep/er/b.pem'), 'utf8')).toBe('B');
  expect(['new', 'new/tls', 'new/tls/deep', 'new/tls/deep/er'].map(modeOf)).toEqual(Array(4).fill('700'));
  expect(['new/tls/a.pem', 'new/tls/deep/er/b.pem'].map(modeOf)).toEqual(['600', '600']);
});

test('takes a folder that is empty', () => {
  mkdirSync(at('tls'), { mode: 0o755 });
  writeNewFolder(at('tls'), files);
  expect(readdirSync(at('tls')).sort()).toEqual(['a.pem', 'deep']);
  expect(modeOf('tls')).toBe('700');
});

test('replaces nothing: not a folder with files, nor a file, nor a link', () => {
  mkdirSync(at('folder'));
  writeFileSync(at('folder/mine'), 'mine');
  writeFileSync(at('file'), 'mine');
  mkdirSync(at('elsewhere'));
  symlinkSync(at('elsewhere'), at('link'));
  for (const name of ['folder', 'file', 'link']) {
    const attempt = () => {
      writeNewFolder(at(name), files);
    };
    expect(attempt).toThrow(
      `${at(name)} is there already, and nothing is replaced: choose another folder by --dir`,
    );
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_SETTING' }) as Error);
  }
  expect(readFileSync(at('folder/mine'), 'utf8')).toBe('mine');
  expect(readdirSync(at('elsewhere'))).toEqual([]);
});

test('leaves nothing behind when it fails', () => {
  const unwritable = new Map([...files, ['a.pem/below a file', 'C']]);
  expect(() => {
    writeNewFolder(at('tls'), unwritable);
  }).toThrow(`${at('tls')} cannot be made`);
  expect(readdirSync(parent)).toEqual([]);
});

test('says what is in the way where a folder above it is a file', () => {
  writeFileSync(at('file'), '');
  expect(() => {
    writeNewFolder(at('file/tls'), files);
  }).toThrow(`${at('file/tls')} cannot be made: EEXIST`);
});
