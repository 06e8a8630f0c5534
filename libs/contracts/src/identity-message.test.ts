import type { Diskseq } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { registryV1, toIdentityMessage } from './index.js';

test('D1 the diskseq of a block device goes out in lower-case hexadecimal, and all 64 bits arrive', () => {
  const sent = toIdentityMessage({
    bootId: 'b',
    major: 259,
    minor: 3,
    inode: 0n,
    diskseq: 0xfedc_ba98_7654_3210n as Diskseq,
  });
  const received = registryV1.Identity.decode(registryV1.Identity.encode(sent).finish());
  expect(received).toEqual({ bootId: 'b', major: 259, minor: 3, inode: 0n, diskseq: 'fedcba9876543210' });
});

test('a file has no diskseq, and its inode uses all 64 bits', () => {
  const sent = toIdentityMessage({
    bootId: 'b',
    major: 8,
    minor: 1,
    inode: 2n ** 64n - 1n,
    diskseq: undefined,
  });
  const received = registryV1.Identity.decode(registryV1.Identity.encode(sent).finish());
  expect(received).toMatchObject({ inode: 2n ** 64n - 1n, diskseq: '' });
});
