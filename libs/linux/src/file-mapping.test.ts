import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Errno } from './errno.js';
import { FileMapping } from './file-mapping.js';
import { GatherSend, GATHER_PIECES_MAX } from './gather-send.js';
import { NativeBuffer } from './native-buffer.js';
import type { OwnedFd } from './owned-fd.js';
import { MessageFlag, receive } from './socket-calls.js';
import { socketPair } from './sockets.js';
import { compiledModule } from './testing/child.js';
import { TestFolder } from './testing/folder.js';
import { startWorker } from './testing/worker.js';

const KIB = 1024;
const SIZE = 1024 * KIB;
const content = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const memory = NativeBuffer.allocate(4 * SIZE);

let folder: TestFolder;
let fd: number;
let near: OwnedFd;
let far: OwnedFd;

beforeEach(() => {
  folder = new TestFolder();
  writeFileSync(folder.file('disk'), content);
  fd = openSync(folder.file('disk'), 'r+');
  [near, far] = socketPair();
});

afterEach(() => {
  near[Symbol.dispose]();
  far[Symbol.dispose]();
  closeSync(fd);
  folder[Symbol.dispose]();
});

function mapped(length = SIZE): FileMapping {
  const mapping = FileMapping.map(fd, length);
  if (mapping === undefined) throw new Error('not mapped');
  return mapping;
}

/** Receives until `length` bytes are there, beside a send that blocks: on another thread. */
async function received(length: number): Promise<{ take: () => Promise<Buffer> }> {
  const shared = new SharedArrayBuffer(length);
  const worker = await startWorker(
    `const memory = linux.NativeBuffer.allocate(${length});
     let done = 0;
     while (done < ${length}) {
       const got = linux.receive(data.fd, memory.address + done, Math.min(${length} - done, 10000), 0);
       if (got <= 0) break;
       done += got;
     }
     Buffer.from(data.shared).set(memory.bytes);
     parentPort.postMessage('done');`,
    { fd: far.number, shared },
  );
  const done = new Promise((resolve) => worker.once('message', resolve));
  return {
    take: async () => {
      await done;
      await worker.terminate();
      return Buffer.from(shared);
    },
  };
}

describe('a mapped file', () => {
  test('is resident as far as it was written, and not where it has no bytes', () => {
    using mapping = mapped(4 * SIZE);
    expect(mapping.isResident(0, SIZE)).toBe(true);
    expect(mapping.isResident(SIZE - 4 * KIB, 8 * KIB)).toBe(false);
    expect(mapping.isResident(2 * SIZE, 4 * KIB)).toBe(false);
  });

  test('is not resident beyond where it was cut short', () => {
    using mapping = mapped();
    ftruncateSync(fd, 100 * KIB);
    expect(mapping.isResident(0, 64 * KIB)).toBe(true);
    expect(mapping.isResident(0, 128 * KIB)).toBe(false);
  });

  test('is known to be resident by whom the kernel tells, and not by a stranger who has a descriptor', async () => {
    using mapping = mapped();
    expect(mapping.tellsResidence).toBe(true);
    const asks = `const mapping = linux.FileMapping.map(Number(process.argv[1]), ${SIZE});
      console.log(mapping.tellsResidence, mapping.isResident(0, 4096));`;
    // Nothing of it was ever read.
    const absent = openSync(folder.file('absent'), 'w+', 0o644);
    ftruncateSync(absent, SIZE);
    const answers = async (uid: number | undefined) => {
      const command = [
        '--input-type=module',
        '-e',
        `import * as linux from '${compiledModule()}';${asks}`,
        '3',
      ];
      const child = spawn(process.execPath, command, {
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit', absent],
        ...(uid !== undefined && { uid, gid: uid }),
      });
      return ((await child.stdout?.toArray()) ?? []).join('').trim();
    };
    expect(await answers(undefined)).toBe('true false');
    if (process.getuid?.() === 0) expect(await answers(65_534)).toBe('false true');
    closeSync(absent);
  });

  test('is refused where nothing can be mapped', () => {
    expect(FileMapping.map(near.number, SIZE)).toBeUndefined();
    expect(FileMapping.map(fd, 2 ** 52)).toBeUndefined();
  });

  test('gives its addresses back once', () => {
    const mapping = mapped();
    mapping[Symbol.dispose]();
    mapping[Symbol.dispose]();
    const message = new GatherSend();
    message.add(mapping.address, 4 * KIB);
    expect(message.send(near.number, MessageFlag.DONTWAIT)).toBe(Errno.EFAULT);
  });
});

describe('pieces that are gathered', () => {
  test('are sent in order, from memory and from the file', () => {
    using mapping = mapped();
    memory.bytes.write('head');
    const message = new GatherSend();
    message.add(memory.address, 4);
    message.add(mapping.address + 8 * KIB, 4 * KIB);
    message.add(memory.address, 0);
    message.add(memory.address, 4);
    expect(message.send(near.number, MessageFlag.NONE)).toBe(0);
    const expected = Buffer.concat([
      Buffer.from('head'),
      content.subarray(8 * KIB, 12 * KIB),
      Buffer.from('head'),
    ]);
    expect(receive(far.number, memory.address + KIB, SIZE, MessageFlag.NONE)).toBe(expected.length);
    expect(memory.bytes.subarray(KIB, KIB + expected.length).equals(expected)).toBe(true);
  });

  test('go on where a receiver that takes little has left off, at the most pieces that there may be', async () => {
    using mapping = mapped();
    const message = new GatherSend();
    const lengths = Array.from({ length: GATHER_PIECES_MAX }, (_, i) => 1 + ((i * 31) % 1000));
    lengths.forEach((length, i) => {
      message.add(mapping.address + i * KIB, length);
    });
    expect(() => {
      message.add(mapping.address, 1);
    }).toThrow('too many pieces');
    const expected = Buffer.concat(lengths.map((length, i) => content.subarray(i * KIB, i * KIB + length)));
    const other = await received(expected.length);
    expect(message.send(near.number, MessageFlag.NONE)).toBe(0);
    expect((await other.take()).equals(expected)).toBe(true);
  });

  test('of a file that was cut short are EFAULT, and no signal', () => {
    using mapping = mapped();
    ftruncateSync(fd, 8 * KIB);
    const message = new GatherSend();
    message.add(mapping.address + 64 * KIB, 4 * KIB);
    expect(message.send(near.number, MessageFlag.NONE)).toBe(Errno.EFAULT);
    message.add(mapping.address, 4 * KIB);
    expect(message.send(near.number, MessageFlag.NONE)).toBe(0);
  });

  test('to a peer that is gone are EPIPE', () => {
    far.close();
    const message = new GatherSend();
    message.add(memory.address, 4);
    expect(message.send(near.number, MessageFlag.NONE)).toBe(Errno.EPIPE);
  });

  test('stop at a full socket that does not wait', () => {
    const message = new GatherSend();
    message.add(memory.address, 4 * SIZE);
    expect(message.send(near.number, MessageFlag.DONTWAIT)).toBe(Errno.EAGAIN);
  });
});
