import { closeSync, openSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { registryV1, toIdentityMessage } from '@holdfast/contracts';
import { identifyDevice } from '@holdfast/linux';
import { TestFolder } from '@holdfast/linux/testing/folder';
import { LoopDevice, loopUnavailable } from '@holdfast/linux/testing/loop-device';
import { describe, expect, onTestFinished, test } from 'vitest';
import { verifiedNode } from './verified-node.js';

const BYTES = 1024 * 1024;
const WRITABLE = { readOnly: false };

/** A loop device, and its identity as the registry would record it. */
function attachedLoop(options = { readOnly: false }): {
  readonly path: string;
  readonly identity: registryV1.Identity;
} {
  const folder = new TestFolder();
  const file = folder.file('disk.img');
  writeFileSync(file, '');
  truncateSync(file, BYTES);
  const loop = new LoopDevice(file, options);
  onTestFinished(() => {
    loop[Symbol.dispose]();
    folder[Symbol.dispose]();
  });
  const fd = openSync(loop.path, 'r');
  try {
    return { path: loop.path, identity: toIdentityMessage(identifyDevice(fd)) };
  } finally {
    closeSync(fd);
  }
}

describe.skipIf(loopUnavailable() !== undefined)(
  `the node of a device (${loopUnavailable() ?? 'real'})`,
  () => {
    test('D4 is told with its numbers and its diskseq, as the kernel has them', () => {
      const { path, identity } = attachedLoop();
      const { major, minor, diskseq } = identity;
      expect(verifiedNode('disk', identity, WRITABLE)).toEqual({
        node: path,
        major,
        minor,
        diskseq,
        readOnly: false,
      });
      // As makedev(3) puts them together.
      expect((minor & 0xff) + major * 2 ** 8 + (minor >>> 8) * 2 ** 20).toBe(statSync(path).rdev);
    });

    test('is read-only when it was registered so, and when the kernel refuses writes', () => {
      expect(verifiedNode('disk', attachedLoop().identity, { readOnly: true }).readOnly).toBe(true);
      expect(verifiedNode('disk', attachedLoop({ readOnly: true }).identity, WRITABLE).readOnly).toBe(true);
    });

    test('D1 D6 is refused when what it opens has another diskseq', () => {
      const { identity } = attachedLoop();
      const other = { ...identity, diskseq: (BigInt(`0x${identity.diskseq}`) + 1n).toString(16) };
      expect(() => verifiedNode('disk', other, WRITABLE)).toThrow(
        expect.objectContaining({
          code: 'DEVICE_IDENTITY_MISMATCH',
          message: expect.stringContaining(`diskseq ${identity.diskseq}, and "disk" is`) as string,
        }),
      );
    });

    test('D5 is refused beside another boot id: numbers of another machine mean nothing here', () => {
      const { identity } = attachedLoop();
      expect(() => verifiedNode('disk', { ...identity, bootId: 'another' }, WRITABLE)).toThrow(
        expect.objectContaining({ code: 'DEVICE_IDENTITY_MISMATCH' }),
      );
    });

    test('is refused when the kernel has no such device', () => {
      const { identity } = attachedLoop();
      expect(() => verifiedNode('disk', { ...identity, minor: 1_000_000 }, WRITABLE)).toThrow(
        expect.objectContaining({ code: 'DEVICE_OPEN_FAILED' }),
      );
    });
  },
);

test('D3 a regular file has no node, and the sentence says what to do', () => {
  const identity = registryV1.Identity.fromPartial({ bootId: 'b', major: 8, minor: 1, inode: 12n });
  expect(() => verifiedNode('disk', identity, WRITABLE)).toThrow(
    expect.objectContaining({
      code: 'DEVICE_UNSUITABLE',
      message: expect.stringContaining('--kind loop') as string,
    }),
  );
});
