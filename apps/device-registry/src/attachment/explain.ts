import { deviceName, leaseName, sessionName, type registryV1, type workerV1 } from '@holdfast/contracts';
import { openHolders } from '@holdfast/linux';
import type { LeaseRecord, Store } from '@holdfast/store';
import { toDeviceMessage } from '../device/device-message.js';
import { toReservationMessage } from '../reservation/reservation-message.js';
import type { WorkerLink } from '../worker/worker-link.js';
import type { Holds } from './holds.js';

/** Leases that one answer tells of, and reservations. */
const LEASES_TOLD = 1000;

/** Answers who keeps a device: each lease with what the worker knows of its session, and processes outside. */
export class ReleaseExplainer {
  constructor(
    private readonly store: Store,
    private readonly holds: Holds,
    private readonly worker: WorkerLink,
  ) {}

  /** @throws HoldfastError DEVICE_NOT_FOUND */
  async explain(deviceId: string): Promise<registryV1.ReleaseExplanation> {
    const device = await this.store.devices.get(deviceId);
    const { items } = await this.store.leases.list({ deviceId, pageSize: LEASES_TOLD });
    const sessions = items.length === 0 ? new Map<string, workerV1.Session>() : await this.#sessions();
    const reservations = await this.store.reservations.list({ deviceId }, { pageSize: LEASES_TOLD });
    const pins = await this.#pins(deviceName.format(deviceId));
    return {
      device: toDeviceMessage(device),
      leases: items.map((lease) => {
        const name = sessionName.format(lease.session);
        return toBlocker(
          lease,
          sessions.get(name),
          pins.filter(({ session }) => session === name),
        );
      }),
      holders: this.#holders(device.attachment?.id, await this.#ours()),
      leakedPins: segmentsOf(pins.filter(({ leaked }) => leaked)),
      reservations: reservations.items.map(toReservationMessage),
    };
  }

  /** By name; empty when the worker does not answer, which is no reason not to tell the rest. */
  async #sessions(): Promise<Map<string, workerV1.Session>> {
    const sessions = await this.worker.listSessions().catch(() => []);
    return new Map(sessions.map((session) => [session.name, session]));
  }

  /** Of all sessions on the device, those that are over included; none when the worker does not answer. */
  #pins(device: string): Promise<workerV1.Pin[]> {
    return this.worker.listPins(device).catch(() => []);
  }

  /** Registry and worker have it open because it is attached; they let go by themselves. */
  async #ours(): Promise<ReadonlySet<number>> {
    const worker = await this.worker.pid().catch(() => undefined);
    return new Set([process.pid, ...(worker === undefined ? [] : [worker])]);
  }

  #holders(attachmentId: string | undefined, ours: ReadonlySet<number>): registryV1.Holder[] {
    const fd = attachmentId === undefined ? undefined : this.holds.get(attachmentId);
    if (fd === undefined) return [];
    return openHolders(fd.number).filter(({ pid }) => !ours.has(pid));
  }
}

function toBlocker(
  lease: LeaseRecord,
  session: workerV1.Session | undefined,
  pins: readonly workerV1.Pin[],
): registryV1.LeaseBlocker {
  return {
    lease: leaseName.format(lease.number),
    session: sessionName.format(lease.session),
    createTime: lease.createTime,
    fenced: lease.state === 'FENCED',
    clientAddress: session?.clientAddress ?? '',
    export: session?.export ?? '',
    requests: session?.counters?.requests ?? 0n,
    lastRequestTime: session?.counters?.lastRequestTime,
    pins: segmentsOf(pins),
    pinnedBytes: pins.reduce((sum, { bytes }) => sum + bytes, 0n),
    oldestPinTime: oldestOf(pins),
  };
}

function segmentsOf(pins: readonly workerV1.Pin[]): bigint {
  return pins.reduce((sum, { segments }) => sum + segments, 0n);
}

function oldestOf(pins: readonly workerV1.Pin[]): Date | undefined {
  const times = pins.flatMap(({ acquireTime }) => acquireTime?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
