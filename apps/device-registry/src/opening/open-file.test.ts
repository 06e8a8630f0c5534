import { fstatSync } from 'node:fs';
import { socketPair } from '@holdfast/linux';
import { expect, test } from 'vitest';
import { openBlock } from './open-block.js';
import { openFile } from './open-file.js';

function isOpen(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

test.each([
  ['a file', openFile],
  [
    'a block device',
    (fd: Parameters<typeof openFile>[0], path: string) =>
      openBlock(fd, { kind: 'block', path, expected: {} }),
  ],
])('what cannot be identified as %s is closed', (_what, open) => {
  const [one, other] = socketPair();
  const { number } = one;
  expect(() => open(one, '/images/disk')).toThrow();
  expect(isOpen(number)).toBe(false);
  expect(isOpen(other.number)).toBe(true);
  other.close();
});
