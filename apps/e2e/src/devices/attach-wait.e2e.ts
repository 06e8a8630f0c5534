import { renameSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { start } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { holdfastProgram } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { getDevice } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { hasCommand, requirement } from '../support/requirements.js';

const needs = requirement({ 'qemu-nbd': hasCommand('qemu-nbd') });

describe('device attach --wait', () => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB, { name: 'first.img' })] });
    image = makeImage(MIB, { name: 'later.img' });
    await holdfast.cli('device', 'add', 'later', '--path', image);
  });

  /** Begins to wait, and resolves once it says why. */
  async function waiting(why: RegExp) {
    const args = ['device', 'attach', 'later', '--wait', '60', '--state', holdfast.state];
    const command = start(process.execPath, [holdfastProgram, ...args]);
    await eventually('it to wait', () => why.test(command.output().stderr));
    return command;
  }

  const detach = () => holdfast.cli('device', 'detach', 'later');

  it('waits for a path that is not there yet', async () => {
    renameSync(image, `${image}.away`);
    const command = await waiting(/waiting: .*ENOENT/);
    renameSync(`${image}.away`, image);
    const { code, stdout } = await command.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('connected');
    await detach();
  });

  it.skipIf(needs.missing)(`waits for somebody else to unlock it ${needs.note}`, async () => {
    const socket = `${image}.sock`;
    const qemu = start('qemu-nbd', ['--persistent', '--format=raw', '--socket', socket, image]);
    await eventually(
      'QEMU to have it',
      async () => (await holdfast.cli('device', 'attach', 'later')).code === 1,
    );
    const command = await waiting(/waiting: .*qemu-nbd/);
    qemu.child.kill();
    expect((await command.finished).code).toBe(0);
    await detach();
  });

  it('waits for a worker that is being restarted, and attaches once', async () => {
    const before = (await getDevice(holdfast, 'later')).attachment?.epoch ?? 0n;
    const killed = holdfast.kill('io-worker');
    const { code } = await holdfast.cli('device', 'attach', 'later', '--wait');
    expect(code).toBe(0);
    await holdfast.restarted('io-worker', killed);
    expect((await getDevice(holdfast, 'later')).attachment?.epoch).toBeLessThanOrEqual(before + 2n);
    await detach();
  });

  it('ends with the error of the last attempt when the time is over, and with 2 when there is no such device', async () => {
    renameSync(image, `${image}.away`);
    const late = await holdfast.cli('device', 'attach', 'later', '--wait', '0.3');
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/ENOENT.*; waited 0\.3 s \(DEVICE_OPEN_FAILED\)/s);
    const now = await holdfast.cli('device', 'attach', 'later');
    expect(now.stderr).not.toContain('wait');
    renameSync(`${image}.away`, image);
    expect((await holdfast.cli('device', 'attach', 'absent', '--wait')).code).toBe(2);
    expect((await holdfast.cli('device', 'attach', 'later', '--wait', 'soon')).code).toBe(64);
  });

  it('Law 1 a detach may wait for longer than any other call takes', async () => {
    await holdfast.cli('export', 'add', 'later', '--device', 'later');
    expect((await holdfast.cli('device', 'attach', 'later')).code).toBe(0);
    const session = await NbdSession.open(holdfast, 'later');
    const refused = await holdfast.cli('device', 'detach', 'later', '--deadline', '16');
    expect(refused.stderr).toContain('still in use after 16 s');
    session.hangUp();
  }, 60_000);
});
