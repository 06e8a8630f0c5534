import { setTimeout as delay } from 'node:timers/promises';
import { durationMs } from '@holdfast/contracts';
import { CommandFlag, encodeRequest, Command, REQUEST_BYTES, RequestHeader } from '@holdfast/nbd-protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { footprints, settled } from '../protocol/footprints.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { endVerified, requireFio, startFio } from '../support/fio.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { getDevice, getWorker, listLeases, listSessions } from '../support/instance-facts.js';
import { leftoversOf, nothing, socketsIn } from '../support/leftovers.js';
import { NbdSession } from '../support/nbd-session.js';
import { upgradeWorker, workersOf } from './upgrade-worker.js';

const UPGRADES = 20;
const CONNECTIONS = 4;
const LONG_MS = 300_000;
const KIB = 1024;

describe.each(engines)('an upgrade of the worker, sessions on the $engine engine', ({ engine, env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(32 * MIB, { fill: 'empty' })], env });
  });

  const session = () => NbdSession.open(holdfast, 'disk.img');

  it.skipIf(requireFio.missing)(
    `Law 1 fio verifies over four connections across ${String(UPGRADES)} of them without an error ${requireFio.note}`,
    async () => {
      const fio = startFio({
        uri: holdfast.uri('unix'),
        connections: CONNECTIONS,
        bytesEach: 8 * MIB,
        blocks: '4k-64k',
        endlessMs: LONG_MS,
      });
      let written = await eventually('fio to write', () => bytesWritten(holdfast));
      const before = await kept(holdfast);
      const pauses: number[] = [];
      for (let round = 0; round < UPGRADES; round++) {
        const old = workersOf(holdfast);
        const { pid, takeover } = await upgradeWorker(holdfast);
        expect(takeover).toMatchObject({ fromPid: old[0], sessions: CONNECTIONS, devices: 1 });
        expect(workersOf(holdfast)).toEqual([pid]);
        pauses.push(durationMs('pause', takeover?.pause, LONG_MS));
        written = await eventually('fio to write on', async () => {
          const now = (await bytesWritten(holdfast).catch(() => undefined)) ?? 0n;
          return now > written ? now : undefined;
        });
      }
      // The same sessions under the same leases, on the same attachment: nothing was made anew.
      expect(await kept(holdfast)).toEqual(before);
      for (const { engine: used, errors } of await listSessions(holdfast)) {
        expect({ used, errors }).toEqual({ used: engine, errors: 0n });
      }
      await endVerified(fio);
      await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
      pauses.sort((a, b) => a - b);
      process.stdout.write(`${engine}: pauses of ${pauses.map((ms) => ms.toFixed(0)).join(', ')} ms\n`);
    },
    LONG_MS,
  );

  it('waits for a client in the middle of a WRITE, and nobody loses anything', async () => {
    const [writer, other] = [await session(), await session()];
    const payload = Buffer.alloc(MIB, 'payload ');
    writer.stream.write(writeHeader(MIB, payload.length), payload.subarray(0, 300 * KIB));
    await delay(200);
    const upgrade = upgradeWorker(holdfast);
    expect(await Promise.race([upgrade, delay(1_500, 'waits')])).toBe('waits');
    const read = other.read(0, 512);
    writer.stream.write(payload.subarray(300 * KIB));
    expect((await upgrade).takeover).toMatchObject({ sessions: 2 });
    expect((await writer.stream.read(16)).readUInt32BE(4)).toBe(0);
    expect((await read).error).toBe(0);
    expect((await other.read(MIB, MIB)).data.equals(payload)).toBe(true);
    for (const one of [writer, other]) one.hangUp();
  });

  it('is called off as a whole when a client does not finish its WRITE, and is told so by name', async () => {
    const [writer, other] = [await session(), await session()];
    expect((await other.write(0, Buffer.from('before'))).error).toBe(0);
    const payload = Buffer.alloc(64 * KIB, 'late ');
    writer.stream.write(writeHeader(0, payload.length), payload.subarray(0, 1000));
    await delay(200);
    const old = workersOf(holdfast);
    const { code, stderr } = await holdfast.cli('worker', 'upgrade');
    expect(code).toBe(1);
    expect(stderr).toMatch(/everything goes on as before: after 10 s, sessions\/\S+ was still in the middle/);
    expect(stderr).toContain('(UPGRADE_FAILED)');
    expect(workersOf(holdfast)).toEqual(old);
    expect((await other.read(0, 6)).data.toString()).toBe('before');
    writer.stream.write(payload.subarray(1000));
    expect((await writer.stream.read(16)).readUInt32BE(4)).toBe(0);
    expect((await other.read(0, 5)).data.toString()).toBe('late ');
    for (const one of [writer, other]) one.hangUp();
  });

  it('lets clients wait that come meanwhile', async () => {
    let done = false as boolean;
    const upgrade = upgradeWorker(holdfast).finally(() => (done = true));
    for (let client = 0; client < 20 || !done; client++) {
      const one = await session();
      expect((await one.write(0, Buffer.from(String(client)), { fua: true })).error).toBe(0);
      one.hangUp();
    }
    await upgrade;
    await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
  });

  it('counts on, and answers a request that came in part before and in part after', async () => {
    const one = await session();
    for (let i = 0; i < 5; i++) await one.write(0, Buffer.alloc(1000));
    const header = writeHeader(0, 4);
    one.stream.write(header.subarray(0, 20));
    await delay(200);
    await upgradeWorker(holdfast);
    one.stream.write(header.subarray(20), Buffer.from('abcd'));
    expect((await one.stream.read(16)).readUInt32BE(4)).toBe(0);
    await eventually('the counters to tell', async () => {
      const [{ requests, bytesWritten: bytes } = { requests: 0n, bytesWritten: 0n }] =
        await listSessions(holdfast);
      return requests === 6n && bytes === 5_004n;
    });
    one.hangUp();
  });

  it('leaves no descriptor, thread, session, lease or socket behind', async () => {
    await upgradeWorker(holdfast);
    const client = await session();
    await eventually('its lease', async () => (await listLeases(holdfast)).length === 1);
    const before = await settled(holdfast);
    const sockets = socketsIn(holdfast.state).sort();
    for (let round = 0; round < 5; round++) await upgradeWorker(holdfast);
    expect((await client.read(0, 1)).error).toBe(0);
    await eventually(`footprints as before: ${JSON.stringify(before)}`, () => {
      return JSON.stringify(footprints(holdfast)) === JSON.stringify(before);
    });
    expect(socketsIn(holdfast.state).sort()).toEqual(sockets);
    client.hangUp();
    await eventually('the lease to end', async () => (await listLeases(holdfast)).length === 0);
    const { threadsBusy, eventLoopSessions } = await getWorker(holdfast);
    expect({ threadsBusy, eventLoopSessions }).toEqual({ threadsBusy: 0, eventLoopSessions: 0 });
  });

  it('leads to a worker that is restarted like any other, and stopped like any other', async () => {
    await upgradeWorker(holdfast);
    const killed = holdfast.kill('io-worker');
    await holdfast.restarted('io-worker', killed);
    await eventually('every service to serve', async () => (await holdfast.cli('status')).code === 0);
    await upgradeWorker(holdfast);
    const client = await session();
    expect((await client.write(0, Buffer.from('kept'))).error).toBe(0);
    expect(await holdfast.stop()).toBe(0);
    expect(await leftoversOf(holdfast)).toEqual(nothing);
    expect(holdfast.stderr()).not.toMatch(/does not stop|cannot/);
  });
});

/** The header of a WRITE, with FUA. */
function writeHeader(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(REQUEST_BYTES);
  const header = Object.assign(new RequestHeader(), {
    type: Command.WRITE,
    flags: CommandFlag.FUA,
    offset,
    length,
  });
  encodeRequest(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, header);
  return bytes;
}

/** What an upgrade keeps. */
async function kept(holdfast: Holdfast) {
  const sessions = (await listSessions(holdfast)).map(({ name, lease }) => ({ name, lease }));
  const leases = (await listLeases(holdfast)).map(({ name, epoch, session }) => ({ name, epoch, session }));
  const { name, epoch } = (await getDevice(holdfast, 'disk.img')).attachment ?? {};
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const { instance } = await getWorker(holdfast);
  return { sessions: sessions.sort(byName), leases: leases.sort(byName), name, epoch, instance };
}

/** By all connections; undefined as long as one of them has written nothing. */
async function bytesWritten(holdfast: Holdfast): Promise<bigint | undefined> {
  const sessions = (await listSessions(holdfast)).map((one) => one.bytesWritten);
  if (sessions.length < CONNECTIONS || sessions.includes(0n)) return undefined;
  return sessions.reduce((sum, bytes) => sum + bytes, 0n);
}
