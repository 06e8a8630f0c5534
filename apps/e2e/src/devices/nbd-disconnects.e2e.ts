import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { endVerified, requireFio, startFio } from '../support/fio.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { requireCommands } from '../support/requirements.js';
import { chain, done, shownRemote } from './remote-device.js';
import { startUpstream } from './upstream.js';

const needs = requireCommands('qemu-nbd', 'nbdkit');
const EIO = 5;

describe.skipIf(needs.missing)(`a device whose NBD server goes away ${needs.note}`, () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  const logged = () => readFileSync(path.join(holdfast.layout.logs, 'io-worker.log'), 'utf8');

  it.skipIf(requireFio.missing).each(['qemu-nbd', 'nbdkit'] as const)(
    `replay: fio verifies without an error while %s is killed and started again ${requireFio.note}`,
    async (kind) => {
      const upstream = await startUpstream(kind, makeImage(32 * MIB, { fill: 'empty' }));
      const uri = await chain(holdfast, `fio-${kind}`, upstream.uri);
      const fio = startFio({ uri, connections: 2, bytesEach: MIB, blocks: '4k-64k', endlessMs: 100_000 });
      for (let time = 1; time <= 3; time++) {
        await readsAndWrites();
        await upstream.kill();
        await new Promise((resolve) => setTimeout(resolve, 300));
        await upstream.startAgain();
      }
      await readsAndWrites();
      await endVerified(fio);
      expect(logged().match(/connected to the NBD server again/g)?.length).toBeGreaterThanOrEqual(3);
    },
  );

  /** Waits until clients have read and written more than now. */
  async function readsAndWrites(): Promise<void> {
    const before = await transferred();
    await eventually('fio to read and write', async () => {
      const now = await transferred();
      return now.read > before.read + MIB && now.written > before.written + MIB;
    });
  }

  async function transferred(): Promise<{ readonly read: number; readonly written: number }> {
    const sessions = await listSessions(holdfast);
    return {
      read: sessions.reduce((sum, { bytesRead }) => sum + Number(bytesRead), 0),
      written: sessions.reduce((sum, { bytesWritten }) => sum + Number(bytesWritten), 0),
    };
  }

  it('replay: requests wait for it as long as was said, then fail with EIO; once it is back they work', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    await chain(holdfast, 'limited', upstream.uri, '--reconnect-timeout', '2');
    const session = await NbdSession.open(holdfast, 'limited');
    await upstream.kill();
    const begun = performance.now();
    expect((await session.write(0, Buffer.from('lost'))).error).toBe(EIO);
    expect(performance.now() - begun).toBeGreaterThan(1_900);
    expect(performance.now() - begun).toBeLessThan(6_000);
    await upstream.startAgain();
    await eventually(
      'it to work again',
      async () => (await session.write(0, Buffer.from('kept'))).error === 0,
    );
    expect((await session.read(0, 4)).data.toString()).toBe('kept');
    session.hangUp();
  });

  it('fail: requests fail with EIO at once, and the next one after it is back works', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    await chain(holdfast, 'failing', upstream.uri, '--on-disconnect', 'fail');
    const session = await NbdSession.open(holdfast, 'failing');
    expect((await session.read(0, 512)).error).toBe(0);
    await upstream.kill();
    const begun = performance.now();
    expect((await session.read(0, 512)).error).toBe(EIO);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await upstream.startAgain();
    expect((await session.read(0, 512)).error).toBe(0);
    session.hangUp();
  });

  it('T13 a FLUSH fails once after writes that were answered may have been lost, and then works', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    await chain(holdfast, 'flushed', upstream.uri);
    const session = await NbdSession.open(holdfast, 'flushed');
    expect((await session.write(0, Buffer.from('answered'))).error).toBe(0);
    expect((await session.flush()).error).toBe(0);
    await upstream.kill();
    await upstream.startAgain();
    // All was flushed.
    expect((await session.flush()).error).toBe(0);
    expect((await session.write(0, Buffer.from('in doubt'))).error).toBe(0);
    await upstream.kill();
    await upstream.startAgain();
    expect((await session.flush()).error).toBe(EIO);
    expect((await session.write(0, Buffer.from('anew'))).error).toBe(0);
    expect((await session.flush()).error).toBe(0);
    session.hangUp();
  });

  it('D6 and comes back with another size ends its sessions, and lets nobody in until it is attached anew', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    const uri = await chain(holdfast, 'grown', upstream.uri);
    const session = await NbdSession.open(holdfast, 'grown');
    await upstream.kill();
    await upstream.startAgain(makeImage(2 * MIB));
    await expect(session.read(0, 512)).rejects.toThrow();
    const told = /the session ends: the export .* has 2097152 bytes, and had 1048576 when it was/;
    await eventually(
      'the log to say why',
      () => told.test(logged()) && logged().includes('"reason":"device-changed"'),
    );
    expect((await run('nbdinfo', ['--size', uri])).code).not.toBe(0);
    await done(holdfast, 'device', 'detach', 'grown', '--deadline', '10');
    await done(holdfast, 'device', 'attach', 'grown');
    expect((await run('nbdinfo', ['--size', uri])).stdout.trim()).toBe(String(2 * MIB));
  });

  it('Law 2 a forced detach ends in bounded time although the server hangs with a request under way', async () => {
    const upstream = await startUpstream('qemu-nbd', makeImage(MIB));
    await chain(holdfast, 'hung', upstream.uri);
    const session = await NbdSession.open(holdfast, 'hung');
    expect((await session.read(0, 512)).error).toBe(0);
    upstream.signal('SIGSTOP');
    const hanging: Promise<unknown> = session.write(0, Buffer.from('hangs')).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const begun = performance.now();
    const forced = await holdfast.cli('device', 'detach', 'hung', '--force');
    expect(forced).toMatchObject({ code: 0, stderr: expect.stringContaining('cut off 1') as string });
    expect(performance.now() - begun).toBeLessThan(10_000);
    await hanging;
    expect((await shownRemote(holdfast, 'hung')).state).toBe('STATE_RELEASED');
    // Nor does attaching it wait for ever.
    const refused = await holdfast.cli('device', 'attach', 'hung');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('NBD_SERVER_UNREACHABLE') as string,
    });
    upstream.signal('SIGCONT');
    await done(holdfast, 'device', 'attach', 'hung');
  });

  it('D10 is kept while any service is killed, and while the server is away meanwhile', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    await chain(holdfast, 'kept', upstream.uri);
    const session = await NbdSession.open(holdfast, 'kept');
    expect((await session.write(0, Buffer.from('before'), { fua: true })).error).toBe(0);
    for (const service of ['nbd-gateway', 'device-registry'] as const) {
      const killed = holdfast.kill(service);
      expect((await session.write(4096, Buffer.from(service))).error).toBe(0);
      await holdfast.restarted(service, killed);
    }
    await eventually('every service to serve', async () => (await holdfast.cli('status')).code === 0);
    expect((await session.read(4096, 15)).data.toString()).toBe('device-registry');

    await upstream.kill();
    await holdfast.restarted('io-worker', holdfast.kill('io-worker'));
    await upstream.startAgain();
    const again = await openWhenServed(holdfast, 'kept');
    expect((await again.read(0, 6)).data.toString()).toBe('before');
    again.hangUp();
    expect(await shownRemote(holdfast, 'kept')).toMatchObject({ state: 'STATE_CONNECTED', epoch: '1' });
    await eventually('all leases to end', async () => (await listLeases(holdfast)).length === 0);
  });

  it('D10 is there again after everything was killed, although the server is away', async () => {
    const upstream = await startUpstream('nbdkit', makeImage(MIB));
    const first = await startHoldfast({ images: [makeImage(MIB)] });
    await chain(first, 'all', upstream.uri);
    await upstream.kill();
    await first.killEverything();
    const second = await startHoldfast({ images: [makeImage(MIB)], state: first.state });
    await upstream.startAgain();
    const session = await openWhenServed(second, 'all');
    expect((await session.read(0, 512)).error).toBe(0);
    session.hangUp();
  });
});
