import { once } from 'node:events';
import { closeSync, constants, fstatSync, openSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import {
  adviseWillNeed,
  punchHole,
  readAt,
  readAtNoWait,
  syncData,
  writeAt,
  writeAtDurable,
  zeroRange,
} from './data-calls.js';
import { fadvise } from './data-prototypes.js';
import { Errno } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { socketPair } from './sockets.js';
import { TestFolder } from './testing/folder.js';
import { startWorker } from './testing/worker.js';

const MIB = 1024 * 1024;
const TMPFS_MAGIC = 0x0102_1994;
const POSIX_FADV_DONTNEED = 4;

const folder = new TestFolder();
const path = folder.file('data');
const memory = NativeBuffer.allocate(MIB);
const pattern = Buffer.from(Array.from({ length: MIB }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
let fd = -1;

beforeAll(() => {
  writeFileSync(path, pattern);
  fd = openSync(path, 'r+');
  syncData(fd);
});

afterAll(() => {
  closeSync(fd);
  folder[Symbol.dispose]();
});

function skipOnTmpfs(context: TestContext): void {
  if (statfsSync(folder.path).type === TMPFS_MAGIC) context.skip('the temporary folder is a tmpfs');
}

describe('reading', () => {
  test('reads where it is told into the address', () => {
    expect(readAt(fd, memory.address + 100, 5000, 70_000)).toBe(5000);
    expect(memory.bytes.subarray(100, 5100).equals(pattern.subarray(70_000, 75_000))).toBe(true);
  });

  test('is short at the end of the file and 0 behind it', () => {
    expect(readAt(fd, memory.address, 4096, MIB - 10)).toBe(10);
    expect(readAt(fd, memory.address, 4096, MIB)).toBe(0);
    expect(readAt(fd, memory.address, 4096, 2 ** 40)).toBe(0);
  });

  test('without waiting, it returns all of a warm file', (context) => {
    skipOnTmpfs(context);
    readAt(fd, memory.address, MIB, 0);
    memory.bytes.fill(0);
    expect(readAtNoWait(fd, memory.address, MIB, 0)).toBe(MIB);
    expect(memory.bytes.equals(pattern)).toBe(true);
  });

  test('without waiting, what is not cached is -EAGAIN, and read once it was advised', async (context) => {
    skipOnTmpfs(context);
    fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    expect(readAtNoWait(fd, memory.address, 4096, MIB / 2)).toBe(-Errno.EAGAIN);
    expect(adviseWillNeed(fd, MIB / 2, 4096)).toBe(0);
    await expect.poll(() => readAtNoWait(fd, memory.address, 4096, MIB / 2)).toBe(4096);
  });
});

describe('writing', () => {
  test.each([
    ['writeAt', writeAt],
    ['writeAtDurable', writeAtDurable],
  ] as const)('%s writes where it is told', (_name, write) => {
    using own = new TestFolder();
    writeFileSync(own.file('w'), '');
    const target = openSync(own.file('w'), 'r+');
    memory.bytes.set(pattern);
    expect(write(target, memory.address + 17, 9000, 12_345)).toBe(9000);
    expect(syncData(target)).toBe(0);
    closeSync(target);
    const written = readFileSync(own.file('w'));
    expect(written.length).toBe(21_345);
    expect(written.subarray(12_345).equals(pattern.subarray(17, 9017))).toBe(true);
  });

  test('offsets beyond 4 GiB arrive whole', () => {
    using own = new TestFolder();
    writeFileSync(own.file('sparse'), '');
    const target = openSync(own.file('sparse'), 'r+');
    const offset = 5 * 2 ** 32 + 123;
    memory.bytes.set(pattern);
    expect(writeAt(target, memory.address, 100, offset)).toBe(100);
    expect(writeAtDurable(target, memory.address + 100, 100, offset + 100)).toBe(100);
    memory.bytes.fill(0);
    expect(readAt(target, memory.address, 200, offset)).toBe(200);
    expect(memory.bytes.subarray(0, 200).equals(pattern.subarray(0, 200))).toBe(true);
    closeSync(target);
  });

  test('page-aligned memory is fit for O_DIRECT', (context) => {
    skipOnTmpfs(context);
    const direct = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
    expect(readAt(direct, memory.address, 65_536, 65_536)).toBe(65_536);
    closeSync(direct);
    expect(memory.bytes.subarray(0, 65_536).equals(pattern.subarray(65_536, 131_072))).toBe(true);
  });
});

describe('ranges', () => {
  function withFile(run: (fd: number) => void): void {
    using own = new TestFolder();
    writeFileSync(own.file('r'), pattern);
    const target = openSync(own.file('r'), 'r+');
    try {
      syncData(target);
      run(target);
    } finally {
      closeSync(target);
    }
  }

  function expectZeroed(target: number, from: number, to: number): void {
    expect(readAt(target, memory.address, MIB, 0)).toBe(MIB);
    const expected = Buffer.from(pattern).fill(0, from, to);
    expect(memory.bytes.equals(expected)).toBe(true);
  }

  test('a punched hole reads as zeros and gives its blocks back; the size stays', () => {
    withFile((target) => {
      const before = fstatSync(target).blocks;
      expect(punchHole(target, 65_536, 524_288)).toBe(0);
      expectZeroed(target, 65_536, 65_536 + 524_288);
      const after = fstatSync(target);
      expect(after.size).toBe(MIB);
      expect((before - after.blocks) * 512).toBeGreaterThanOrEqual(524_288);
    });
  });

  test('a zeroed range reads as zeros and keeps its blocks; the size stays', (context) => {
    skipOnTmpfs(context);
    withFile((target) => {
      const before = fstatSync(target).blocks;
      expect(zeroRange(target, 65_537, 524_288)).toBe(0);
      expectZeroed(target, 65_537, 65_537 + 524_288);
      const after = fstatSync(target);
      expect(after.size).toBe(MIB);
      expect(after.blocks).toBeGreaterThanOrEqual(before);
    });
  });

  test('neither grows a file', (context) => {
    skipOnTmpfs(context);
    withFile((target) => {
      expect(punchHole(target, MIB - 100, 4096)).toBe(0);
      expect(zeroRange(target, MIB - 100, 4096)).toBe(0);
      expect(fstatSync(target).size).toBe(MIB);
    });
  });
});

describe('on tmpfs', () => {
  test('what it cannot do is -EOPNOTSUPP, the plain calls work', (context) => {
    if (statfsSync('/dev/shm').type !== TMPFS_MAGIC) context.skip('/dev/shm is no tmpfs');
    using own = new TestFolder('/dev/shm');
    writeFileSync(own.file('t'), pattern);
    const target = openSync(own.file('t'), 'r+');
    expect(readAtNoWait(target, memory.address, 4096, 0)).toBe(-Errno.EOPNOTSUPP);
    expect(zeroRange(target, 0, 4096)).toBe(-Errno.EOPNOTSUPP);
    expect(readAt(target, memory.address, 4096, 0)).toBe(4096);
    expect(punchHole(target, 0, 4096)).toBe(0);
    expect(syncData(target)).toBe(0);
    closeSync(target);
  });
});

describe('a call that fails returns its negative errno at once', () => {
  const nobody = 1_000_000;
  const { address } = memory;

  test.each([
    ['readAt', () => readAt(nobody, address, 1, 0)],
    ['readAtNoWait', () => readAtNoWait(nobody, address, 1, 0)],
    ['writeAt', () => writeAt(nobody, address, 1, 0)],
    ['writeAtDurable', () => writeAtDurable(nobody, address, 1, 0)],
    ['syncData', () => syncData(nobody)],
    ['punchHole', () => punchHole(nobody, 0, 1)],
    ['zeroRange', () => zeroRange(nobody, 0, 1)],
    ['adviseWillNeed', () => adviseWillNeed(nobody, 0, 1)],
  ])('%s on a descriptor that is not open', (_name, call) => {
    expect(call()).toBe(-Errno.EBADF);
  });

  test('each with another reason', () => {
    const full = openSync('/dev/full', 'r+');
    const [socket, peer] = socketPair();
    expect(readAt(fd, 1, 4096, 0)).toBe(-Errno.EFAULT);
    expect(readAt(fd, address, 4096, -1)).toBe(-Errno.EINVAL);
    expect(writeAt(full, address, 4096, 0)).toBe(-Errno.ENOSPC);
    expect(readAt(socket.number, address, 1, 0)).toBe(-Errno.ESPIPE);
    expect(readAtNoWait(socket.number, address, 1, 0)).toBe(-Errno.ESPIPE);
    expect(writeAtDurable(socket.number, address, 1, 0)).toBe(-Errno.ESPIPE);
    expect(syncData(socket.number)).toBe(-Errno.EINVAL);
    expect(punchHole(fd, 0, 0)).toBe(-Errno.EINVAL);
    expect(zeroRange(fd, -1, 10)).toBe(-Errno.EINVAL);
    expect(adviseWillNeed(fd, 0, -1)).toBe(-Errno.EINVAL);
    socket.close();
    peer.close();
    closeSync(full);
  });
});

test('threads read at once, each through its own iovec', async (context) => {
  skipOnTmpfs(context);
  const script = `
    const memory = linux.NativeBuffer.allocate(4096);
    for (let round = 0; round < 20_000; round += 1) {
      const offset = ((round * 7 + data.seed) % 256) * 4096;
      memory.bytes[0] = memory.bytes[4095] = 0;
      const count = linux.readAtNoWait(data.fd, memory.address, 4096, offset);
      const first = (offset * 31 + (offset >> 8)) & 0xff;
      if (count !== 4096 || memory.bytes[0] !== first) throw new Error(count + ' at ' + offset);
    }
    parentPort.postMessage('read');`;
  readAt(fd, memory.address, MIB, 0);
  const workers = await Promise.all([1, 2, 3].map((seed) => startWorker(script, { fd, seed })));
  const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
  expect(answers.flat()).toEqual(['read', 'read', 'read']);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
