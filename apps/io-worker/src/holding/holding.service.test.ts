import { randomBytes } from 'node:crypto';
import { fstatSync, mkdirSync, openSync, closeSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { identifyDevice, openDevice, openFdCount, socketPair, type OwnedFd } from '@holdfast/linux';
import { toIdentityMessage } from '@holdfast/contracts';
import { HandoffInbox } from '@holdfast/service';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WorkerScene } from '../testing/worker-scene.js';

let scene: WorkerScene;
let device: OwnedFd;

beforeEach(async () => {
  scene = await WorkerScene.start();
  device = openDevice(scene.image, { readOnly: false });
  onTestFinished(() => {
    device[Symbol.dispose]();
  });
});

/** How many descriptors of this process are the file or socket that `fd` is. */
function countOf(fd: number): number {
  const wanted = fstatSync(fd);
  return readdirSync('/proc/self/fd').filter((other) => {
    try {
      const { dev, ino } = fstatSync(Number(other));
      return dev === wanted.dev && ino === wanted.ino;
    } catch {
      return false;
    }
  }).length;
}

describe('adopting a device', () => {
  test('takes the descriptor that was sent before the call', async () => {
    const token = await scene.pass(device.number);
    const holding = await scene.holdings.adopt(token, scene.message(device));
    expect(holding).toMatchObject({ attachment: 'devices/disk/attachments/1', epoch: 1n, readOnly: false });
    expect(fstatSync(holding.fd.number).ino).toBe(fstatSync(device.number).ino);
    expect(scene.holdings.list()).toEqual([holding]);
    expect(countOf(device.number)).toBe(2);
  });

  test('Law 3 reads the identity on the descriptor received: the path is of no interest', async () => {
    const token = await scene.pass(device.number);
    renameSync(scene.image, `${scene.image}.old`);
    writeFileSync(scene.image, 'another file');
    await scene.holdings.adopt(token, scene.message(device));
    expect(scene.holdings.list()).toHaveLength(1);
  });

  test.each([
    { field: 'bootId', change: { bootId: '00000000-0000-0000-0000-000000000000' } },
    { field: 'major', change: { major: 4_000 } },
    { field: 'minor', change: { minor: 1_048_000 } },
    { field: 'inode', change: { inode: 2n ** 64n - 1n } },
    { field: 'diskseq', change: { diskseq: '1' } },
  ])(
    'D6 refuses a device whose $field is not the recorded one, and keeps nothing of it',
    async ({ change }) => {
      const message = scene.message(device);
      const identity = { ...toIdentityMessage(identifyDevice(device.number)), ...change };
      const adoption = scene.holdings.adopt(await scene.pass(device.number), {
        ...message,
        device: { $case: 'identity', value: identity },
      });
      await expect(adoption).rejects.toMatchObject({
        code: 'DEVICE_IDENTITY_MISMATCH',
        metadata: { attachment: message.attachment },
      });
      expect(scene.holdings.list()).toEqual([]);
      expect(countOf(device.number)).toBe(1);
    },
  );

  test('D6 refuses a device when nothing was recorded', async () => {
    const message = { ...scene.message(device), device: undefined };
    const adoption = scene.holdings.adopt(await scene.pass(device.number), message);
    await expect(adoption).rejects.toMatchObject({ code: 'DEVICE_IDENTITY_MISMATCH' });
    expect(countOf(device.number)).toBe(1);
  });

  test('D6 refuses what is no device at all, and keeps nothing of it', async () => {
    const [socket, other] = socketPair();
    const adoption = scene.holdings.adopt(await scene.pass(socket.number), scene.message(device));
    await expect(adoption).rejects.toMatchObject({ code: 'DEVICE_UNSUITABLE' });
    expect(countOf(socket.number)).toBe(1);
    socket.close();
    other.close();
    const folder = `${scene.folder}/folder`;
    mkdirSync(folder);
    const fd = openSync(folder, 'r');
    await expect(scene.holdings.adopt(await scene.pass(fd), scene.message(device))).rejects.toThrow();
    expect(countOf(fd)).toBe(1);
    closeSync(fd);
  });

  test('an epoch that is none is refused, and the descriptor closed', async () => {
    const message = scene.message(device, { epoch: -1n });
    await expect(scene.holdings.adopt(await scene.pass(device.number), message)).rejects.toThrow(RangeError);
    expect(countOf(device.number)).toBe(1);
  });

  test('again is answered with what is held, and the second descriptor closed', async () => {
    const first = await scene.hold();
    expect(await scene.hold()).toBe(first);
    expect(countOf(device.number)).toBe(2);
  });

  test('twice at the same time leaves one descriptor', async () => {
    const message = scene.message(device);
    const tokens = [randomBytes(16), randomBytes(16)];
    const adoptions = tokens.map((token) => scene.holdings.adopt(token, message));
    for (const token of tokens) await scene.pass(device.number, token);
    const [first, second] = await Promise.all(adoptions);
    expect(second).toBe(first);
    expect(countOf(device.number)).toBe(2);
  });

  test('what never arrives is HANDOFF_FAILED', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = expect(
      scene.holdings.adopt(randomBytes(16), scene.message(device)),
    ).rejects.toMatchObject({
      code: 'HANDOFF_FAILED',
    });
    vi.advanceTimersByTime(2_000);
    await outcome;
    vi.useRealTimers();
  });
});

describe('letting go of a device', () => {
  test('closes it; what is not held is let go of already', async () => {
    const { attachment } = await scene.hold();
    scene.holdings.release(attachment);
    scene.holdings.release(attachment);
    expect(scene.holdings.find(attachment)).toBeUndefined();
    expect(countOf(device.number)).toBe(1);
  });

  test('Law 1 is refused while it is borrowed, however often, and possible once it is not', async () => {
    const holding = await scene.hold();
    const loans = [scene.holdings.borrow(holding), scene.holdings.borrow(holding)];
    for (const endLoan of loans) {
      expect(() => {
        scene.holdings.release(holding.attachment);
      }).toThrow(expect.objectContaining({ code: 'DEVICE_IN_USE' }) as Error);
      expect(holding.fd.closed).toBe(false);
      endLoan();
    }
    scene.holdings.release(holding.attachment);
    expect(holding.fd.closed).toBe(true);
  });
});

describe('giving a device back', () => {
  test('D10 sends a duplicate to the registry; the worker goes on holding it', async () => {
    const holding = await scene.hold();
    const registry = new HandoffInbox(scene.logger);
    await registry.listen(scene.registryHandoff);
    onTestFinished(() => registry.close());
    const token = randomBytes(16);
    await scene.holdings.giveBack(holding.attachment, token);
    const { fd } = await registry.claim(token, 1_000);
    expect(fstatSync(fd.number).ino).toBe(fstatSync(device.number).ino);
    fd.close();
    expect(holding.fd.closed).toBe(false);
  });

  test('that is not held is refused', async () => {
    await expect(scene.holdings.giveBack('devices/a/attachments/b', randomBytes(16))).rejects.toMatchObject({
      code: 'DEVICE_NOT_ATTACHED',
    });
  });

  test('to a registry that does not listen fails, and leaks nothing', async () => {
    const { attachment } = await scene.hold();
    const before = openFdCount();
    await expect(scene.holdings.giveBack(attachment, randomBytes(16))).rejects.toMatchObject({
      code: 'HANDOFF_FAILED',
    });
    expect(openFdCount()).toBe(before);
  });
});
