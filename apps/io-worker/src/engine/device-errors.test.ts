import { closeSync, openSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene } from '../testing/engine-scene.js';
import { smallTmpfs, tmpfsUnavailable } from '../testing/small-tmpfs.js';

const KIB = 1024;
const { READ, WRITE, FLUSH, TRIM, WRITE_ZEROES } = Command;
const { FUA, NO_HOLE } = CommandFlag;
const stillThere = { type: READ, offset: 0, length: 512 };

function openFor(scene: EngineScene, mode: 'r' | 'w'): number {
  // 'w' without truncating: O_WRONLY.
  const fd = openSync(scene.file, mode === 'r' ? 'r' : 1);
  onTestFinished(() => {
    closeSync(fd);
  });
  return fd;
}

describeEngines('a device that fails', (engine) => {
  test('T10 cut short behind our back, answers EIO beyond its end, and goes on before it', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    scene.truncate(64 * KIB);
    expect((await client.ask({ type: READ, offset: 64 * KIB, length: 4 * KIB })).error).toBe(NbdError.EIO);
    expect((await client.ask({ type: READ, offset: 62 * KIB, length: 4 * KIB })).error).toBe(NbdError.EIO);
    expect((await client.ask(stillThere)).error).toBe(0);
  });

  test('T10 cut short, ends a READ that it finds out of after the header, and never the process', async () => {
    const scene = new EngineScene(engine());
    const { client, control, socket, ended } = scene.serve();
    scene.truncate(512 * KIB);
    client.send({ type: READ, offset: 0, length: 1024 * KIB });
    const reply = client.reply();
    const outcome = expect(reply).rejects.toThrow(/the connection ended \d+ bytes early/);
    expect(await ended).toBe('io-error');
    socket.close();
    await outcome;
    expect(control.counters.errors).toBe(1);
    const { client: next } = scene.serve();
    expect((await next.ask(stillThere)).error).toBe(0);
  });

  test('because it cannot be written answers EIO to whatever writes (EBADF), and goes on', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve({ device: openFor(scene, 'r') });
    for (const request of [
      { type: WRITE, offset: 0, payload: Buffer.alloc(700 * KIB) },
      { type: WRITE, offset: 0, payload: Buffer.alloc(512), flags: FUA },
      { type: TRIM, offset: 0, length: 4096 },
      { type: WRITE_ZEROES, offset: 0, length: 4096 },
      { type: WRITE_ZEROES, offset: 0, length: 4096, flags: NO_HOLE },
    ]) {
      expect((await client.ask(request)).error).toBe(NbdError.EIO);
    }
    expect((await client.ask(stillThere)).error).toBe(0);
    expect(scene.content().equals(scene.original())).toBe(true);
  });

  test('because it cannot be read answers EIO to READ (EBADF), and goes on', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve({ device: openFor(scene, 'w') });
    expect((await client.ask({ type: READ, offset: 0, length: 512 })).error).toBe(NbdError.EIO);
    expect((await client.ask({ type: WRITE, offset: 0, payload: Buffer.from('x') })).error).toBe(0);
  });
});

/** Takes the rest of the file system, but for `leftBytes`. */
function fillUp(scene: EngineScene, leftBytes = 0): void {
  const folder = path.dirname(scene.file);
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(path.join(folder, 'filler'), Buffer.alloc(bavail * bsize - leftBytes));
}

const missing = tmpfsUnavailable();
describe.skipIf(missing !== undefined)(
  `on a file system of its own${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    describeEngines('a device', (engine) => {
      test('T4 whose file system is full answers ENOSPC, and goes on', async () => {
        const scene = new EngineScene(engine(), smallTmpfs(DISK_BYTES + 64 * KIB));
        scene.truncate(1024 * KIB);
        scene.truncate(DISK_BYTES);
        fillUp(scene);
        const { client } = scene.serve();
        const payload = Buffer.alloc(64 * KIB, 1);
        const offset = 2048 * KIB;
        expect((await client.ask({ type: WRITE, offset, payload })).error).toBe(NbdError.ENOSPC);
        expect((await client.ask({ type: WRITE, offset: 0, payload })).error).toBe(0);
        expect((await client.ask({ type: FLUSH })).error).toBe(0);
        expect((await client.ask({ type: READ, offset: 0, length: 1 })).data[0]).toBe(1);
      });

      test('T14 whose file system cannot zero a range in place is written with zeroes', async () => {
        const scene = new EngineScene(engine(), smallTmpfs(2 * DISK_BYTES));
        const { client } = scene.serve();
        const [offset, length] = [4 * KIB + 1, 2500 * KIB];
        const before = scene.allocatedBytes();
        const request = { type: WRITE_ZEROES, offset, length, flags: NO_HOLE | FUA };
        expect((await client.ask(request)).error).toBe(0);
        expect(scene.content(offset, length).equals(Buffer.alloc(length))).toBe(true);
        expect(scene.content(0, offset).equals(scene.original(0, offset))).toBe(true);
        expect(scene.content(offset + length).equals(scene.original(offset + length))).toBe(true);
        expect(scene.allocatedBytes()).toBe(before);
      });

      test('T14 that runs full while it is written with zeroes answers ENOSPC', async () => {
        const scene = new EngineScene(engine(), smallTmpfs(DISK_BYTES + 64 * KIB));
        scene.truncate(0);
        scene.truncate(DISK_BYTES);
        fillUp(scene, 1024 * KIB);
        const { client } = scene.serve();
        const request = { type: WRITE_ZEROES, offset: 0, length: DISK_BYTES, flags: NO_HOLE };
        expect((await client.ask(request)).error).toBe(NbdError.ENOSPC);
        expect((await client.ask(stillThere)).error).toBe(0);
      });
    });
  },
);
