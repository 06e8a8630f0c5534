import { registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Holdfast, ServiceName } from '../support/holdfast.js';
import { ask, getDevice } from '../support/instance-facts.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { STAMP_BYTES, STAMP_OFFSET, type ModelDevice } from './model-device.js';

const { STATE_CONNECTED } = registryV1.Attachment_State;

const SESSIONS_MAX = 3;

/** A step: done to the real thing and to the model, and compared. Each says what it did, for the trace. */
export type Action = (holdfast: Holdfast, device: ModelDevice, random: SeededRandom) => Promise<string>;

async function attach(holdfast: Holdfast, device: ModelDevice, random: SeededRandom): Promise<string> {
  const { diskseq } = device;
  const expected = diskseq !== undefined && random.chance(60) ? diskseq : undefined;
  const { attachment } = await call(holdfast, (client) =>
    client.attachDevice({
      name: `devices/${device.id}`,
      ...(expected !== undefined && { expectedDiskseq: expected }),
    }),
  );
  const epoch = attachment?.epoch ?? 0n;
  // Law 4: the same attachment, or a later one.
  if (device.attached) expect(epoch).toBe(device.epoch);
  else expect(epoch).toBeGreaterThan(device.epoch);
  if (diskseq !== undefined) expect(attachment?.identity?.diskseq).toBe(diskseq);
  Object.assign(device, { attached: true, epoch });
  return `attached, epoch ${String(epoch)}`;
}

/** D1: what was meant is another device by now. */
async function attachAnother(holdfast: Holdfast, device: ModelDevice): Promise<string> {
  const { diskseq } = device;
  if (diskseq === undefined) return 'has no diskseq';
  const older = (BigInt(`0x${diskseq}`) - 1n).toString(16);
  const attempt = call(holdfast, (client) =>
    client.attachDevice({ name: `devices/${device.id}`, expectedDiskseq: older }),
  );
  expect(await codeOf(attempt)).toBe('DEVICE_IDENTITY_MISMATCH');
  return 'refused another one';
}

/** Law 1: not while anybody uses it. */
async function detach(holdfast: Holdfast, device: ModelDevice): Promise<string> {
  const attempt = call(holdfast, (client) =>
    client.detachDevice({ name: `devices/${device.id}`, drainTimeout: undefined, force: false }),
  );
  const code = await codeOf(attempt);
  expect(code).toBe(device.sessions.length > 0 ? 'DEVICE_IN_USE' : 'OK');
  if (code === 'OK') device.attached = false;
  return `detach: ${code}`;
}

async function detachByForce(holdfast: Holdfast, device: ModelDevice): Promise<string> {
  const { cutSessions } = await call(holdfast, (client) =>
    client.detachDevice({ name: `devices/${device.id}`, drainTimeout: undefined, force: true }),
  );
  expect(cutSessions).toHaveLength(device.sessions.length);
  device.dropSessions();
  device.attached = false;
  return `cut off ${String(cutSessions.length)}`;
}

/** Law 3: whoever is served reads the bytes of this device, and of no other. */
async function connect(holdfast: Holdfast, device: ModelDevice): Promise<string> {
  const place = device.freePlace();
  if (device.sessions.length >= SESSIONS_MAX || place === undefined) return 'has clients enough';
  if (!device.attached) {
    await expect(NbdSession.open(holdfast, device.id)).rejects.toThrow();
    return 'refused a client';
  }
  const client = await openWhenServed(holdfast, device.id);
  expect((await client.read(0, 512)).data.equals(device.marker)).toBe(true);
  device.sessions.push({ client, place, written: undefined });
  return `serves ${String(device.sessions.length)}`;
}

/** Law 1: a lease is good for as long as its session lasts: what it was answered is there. */
async function use(_holdfast: Holdfast, device: ModelDevice, random: SeededRandom): Promise<string> {
  if (device.sessions.length === 0) return 'has no client';
  const session = random.pick(device.sessions);
  const offset = STAMP_OFFSET + session.place * STAMP_BYTES;
  if (session.written !== undefined) {
    expect((await session.client.read(offset, STAMP_BYTES)).data.equals(session.written)).toBe(true);
  }
  const next = random.bytes(STAMP_BYTES);
  expect((await session.client.write(offset, next)).error).toBe(0);
  session.written = next;
  return 'wrote';
}

async function hangUp(holdfast: Holdfast, device: ModelDevice, random: SeededRandom): Promise<string> {
  if (device.sessions.length === 0) return 'has no client';
  const session = random.pick(device.sessions);
  session.client.hangUp();
  device.sessions = device.sessions.filter((other) => other !== session);
  await leasesAre(holdfast, device);
  return `serves ${String(device.sessions.length)}`;
}

/** Another program changes what is behind the path: only while nobody has it attached can it. */
function swap(_holdfast: Holdfast, device: ModelDevice): Promise<string> {
  if (device.attached) return Promise.resolve('is attached');
  device.swap();
  return Promise.resolve('another disk is in its place');
}

/** The steps by how often they are tried. */
export const actions: Readonly<Record<string, { readonly weight: number; readonly act: Action }>> = {
  attach: { weight: 12, act: attach },
  'attach another': { weight: 4, act: attachAnother },
  detach: { weight: 8, act: detach },
  'detach by force': { weight: 3, act: detachByForce },
  connect: { weight: 18, act: connect },
  use: { weight: 40, act: use },
  'hang up': { weight: 10, act: hangUp },
  swap: { weight: 5, act: swap },
};

/** Law 2: after a crash all is as the model has it, without anybody's help. */
export async function crash(
  holdfast: Holdfast,
  devices: readonly ModelDevice[],
  killed: readonly ServiceName[],
): Promise<void> {
  const pids = killed.map((service) => [service, holdfast.kill(service)] as const);
  for (const [service, pid] of pids) await holdfast.restarted(service, pid);
  if (killed.includes('io-worker')) for (const device of devices) device.dropSessions();
  const anew = killed.includes('io-worker') && killed.includes('device-registry');
  for (const device of devices) await isAsBefore(holdfast, device, anew);
}

async function isAsBefore(holdfast: Holdfast, device: ModelDevice, anew: boolean): Promise<void> {
  await leasesAre(holdfast, device);
  const attachment = await eventually(`${device.id} to be as before`, async () => {
    const now = (await getDevice(holdfast, device.id).catch(() => undefined))?.attachment;
    // A registry that was just started answers from the records, before it has compared them with the worker.
    const compared = !anew || (now?.epoch ?? 0n) > device.epoch;
    const reached = device.attached
      ? now?.state === STATE_CONNECTED && compared
      : now?.state !== STATE_CONNECTED;
    return reached ? (now ?? registryV1.Attachment.fromPartial({})) : undefined;
  });
  if (!device.attached) return;
  if (!anew) expect(attachment.epoch).toBe(device.epoch);
  device.epoch = attachment.epoch;
}

/** As many leases as clients, each on this attachment. */
async function leasesAre(holdfast: Holdfast, device: ModelDevice): Promise<void> {
  await eventually(`${String(device.sessions.length)} leases on ${device.id}`, async () => {
    const request = { device: `devices/${device.id}`, pageSize: 100, pageToken: '' };
    const leases = await ask(registryV1.LeaseServiceService, holdfast.layout.registrySocket, (client) =>
      client.listLeases(request),
    ).then(
      (page) => page.leases,
      () => undefined,
    );
    return leases?.length === device.sessions.length && leases.every(({ epoch }) => epoch === device.epoch);
  });
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'OK';
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
}

/** What the catalogue says to repeat: services are being started, and what they find is being repaired. */
const passing: readonly string[] = ['WORKER_UNAVAILABLE', 'DEVICE_BUSY'];

/** As whoever orchestrates: again, while services are being started. */
async function call<T>(
  { layout }: Holdfast,
  made: Parameters<typeof ask<typeof registryV1.DeviceServiceService, T>>[2],
): Promise<T> {
  const answered = await eventually('the registry to be in step with the worker', async () => {
    try {
      return { answer: await ask(registryV1.DeviceServiceService, layout.registrySocket, made) };
    } catch (error) {
      if (error instanceof HoldfastError && passing.includes(error.code)) return undefined;
      throw error;
    }
  });
  return answered.answer;
}
