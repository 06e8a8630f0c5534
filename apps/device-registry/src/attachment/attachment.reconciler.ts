import { randomBytes } from 'node:crypto';
import { attachmentName, type workerV1 } from '@holdfast/contracts';
import { identityEquals, isLive } from '@holdfast/lease';
import { bootId, identifyDevice } from '@holdfast/linux';
import { HoldfastError, messageOf, unreachable } from '@holdfast/foundation';
import { reached, type HandoffInbox, type Logger, type ServiceHealth } from '@holdfast/service';
import type { AttachmentRecord, Cause, DeviceRecord, Store } from '@holdfast/store';
import type { LeaseReconciler } from '../lease/lease.reconciler.js';
import type { LinkListener, WorkerLink } from '../worker/worker-link.js';
import type { AttachmentService } from './attachment.service.js';
import type { Drain } from './drain.js';
import type { DeviceOperations } from './device-operations.js';
import type { HeldAttachment, Holds } from './holds.js';
import { recordedIdentity } from './recorded-identity.js';
import type { Unrepaired } from './unrepaired.js';
import type { WantedDevices } from './wanted-devices.js';

const TOKEN_BYTES = 16;
const RETURN_WAIT_MS = 2_000;

const INTERRUPTED: Cause = { actor: 'registry', reason: 'the registry ended in the middle of it' };
const NOBODY_HELD: Cause = { actor: 'registry', reason: 'neither registry nor worker held it any more' };
const CONNECTIONS_GONE: Cause = { actor: 'registry', reason: 'its connections ended with the worker' };
const STARTED_ANEW: Cause = { actor: 'registry', reason: 'the machine was started anew' };

/**
 * Repairs what a crash left, whenever a worker process answers: compares the records with what worker and registry
 * hold, gives each its hold back from the other, finishes what was begun, and attaches again what is wanted.
 */
export class AttachmentReconciler implements LinkListener {
  constructor(
    private readonly store: Store,
    private readonly holds: Holds,
    private readonly operations: DeviceOperations,
    private readonly worker: WorkerLink,
    private readonly attachments: AttachmentService,
    private readonly wanted: WantedDevices,
    private readonly leases: LeaseReconciler,
    private readonly drain: Drain,
    private readonly unrepaired: Unrepaired,
    private readonly inbox: HandoffInbox,
    private readonly health: ServiceHealth,
    private readonly logger: Logger,
  ) {}

  /** Before anything else is done: what was open in another boot is not, whoever else there is to ask (D5). */
  async loseOfOtherBoots(): Promise<void> {
    const devices = await this.store.attachments.loseOfOtherBoots(bootId(), STARTED_ANEW);
    if (devices.length > 0)
      this.logger.warn({ devices }, 'the machine was started anew; the attachments are lost');
  }

  sessionEnded(lease: bigint): void {
    this.leases.sessionEnded(lease);
  }

  async reconcile(): Promise<void> {
    const { idle } = this.operations;
    // What an earlier worker sent back after it was asked, and died: nobody claims it any more.
    if (idle) this.inbox.dropUnclaimed();
    const report = await this.leases.settle(idle);
    // Beside the repair: a session whose device hangs must not keep all others waiting.
    void this.drain.endFenced();
    const records = await this.store.attachments.listLive();
    this.unrepaired.clear();
    const held = Promise.resolve(namesOf(report.holdings));
    for (const { deviceId } of records) {
      // Nothing of it was interrupted, and it may go on for hours.
      if (!this.drain.isWaiting(deviceId)) await this.#tryToRepair(deviceId, () => held);
    }
    this.#repairLater();
    await this.#releaseOrphans(report.holdings, records);
    for (const held of this.holds.list()) await this.#letGoUnlessRecorded(held);
  }

  reconciled(): void {
    void this.wanted.attachAll().then(() => {
      this.health.ready();
    });
  }

  /**
   * One that cannot be repaired holds up no other: it is tried again beside all that goes on.
   *
   * @param held what the worker holds, by name; undefined: there is nothing to repair any more
   */
  async #tryToRepair(deviceId: string, held: () => Promise<ReadonlySet<string>> | undefined): Promise<void> {
    // An operation that lost its worker on the way leaves a record to repair as well: this comes after it, and looks at
    // the record again. Meanwhile nobody else begins anything on the device.
    await this.operations.afterOthers(deviceId, 'a repair', async () => {
      try {
        const holdings = await held();
        if (holdings === undefined) return;
        const device = await this.store.devices.find(deviceId);
        if (device?.attachment !== undefined) await this.#repair(device, device.attachment, holdings);
        this.unrepaired.drop(deviceId);
      } catch (error) {
        this.unrepaired.note(deviceId, error);
        this.logger.error({ device: deviceId }, `cannot repair what a crash left: ${messageOf(error)}`);
      }
    });
  }

  #repairLater(): void {
    this.unrepaired.tryLater(() => {
      void this.#repairAgain();
    });
  }

  /** What a worker that has gone meanwhile leaves is compared as a whole when the next one comes. */
  async #repairAgain(): Promise<void> {
    const left = this.unrepaired.ids();
    for (const deviceId of left) {
      if (this.worker.state.kind !== 'up') return;
      // Asked once nobody else is at it: it may have been detached, and attached anew.
      await this.#tryToRepair(deviceId, () =>
        this.unrepaired.has(deviceId) ? this.#heldByWorker() : undefined,
      );
    }
    this.#repairLater();
    // What a repair has given up is attached anew, if it should be attached.
    if (left.some((deviceId) => !this.unrepaired.has(deviceId))) void this.wanted.attachAll();
  }

  async #heldByWorker(): Promise<ReadonlySet<string>> {
    return namesOf((await this.worker.reconcile(0n)).holdings);
  }

  async #repair(device: DeviceRecord, record: AttachmentRecord, held: ReadonlySet<string>): Promise<void> {
    const workerHolds = held.has(nameOf(record));
    switch (record.state) {
      case 'ATTACHING':
        // Its caller is gone with the process that began it; begun anew, if wanted, under the next epoch.
        if (workerHolds) await this.worker.releaseDevice(nameOf(record));
        this.holds.letGo(record.id);
        await this.store.attachments.transition(record.id, 'ATTACHING', 'LOST', {}, INTERRUPTED);
        break;
      case 'CONNECTED':
        await this.#reconnect(device, record, workerHolds);
        break;
      case 'DRAINING':
        // Its caller is gone: whoever wants it detached asks again.
        await this.#reconnect(
          device,
          await this.store.attachments.transition(record.id, 'DRAINING', 'CONNECTED', {}, INTERRUPTED),
          workerHolds,
        );
        break;
      case 'DETACHING':
        await this.attachments.finishDetach(record);
        break;
      case 'RELEASED':
      case 'FAILED':
      case 'LOST':
        break;
      default:
        unreachable(record.state);
    }
  }

  /** Either may have died: the other hands the descriptor back. Both did: it is lost. */
  async #reconnect(device: DeviceRecord, record: AttachmentRecord, workerHolds: boolean): Promise<void> {
    if (record.remote !== undefined) {
      if (!workerHolds) await this.#connectAgain(device, record);
      return;
    }
    const mine = this.holds.get(record.id);
    if (mine === undefined && workerHolds) await this.#takeBack(record);
    else if (mine !== undefined && !workerHolds) await this.attachments.handOver(record, mine);
    else if (mine === undefined) {
      await this.store.attachments.transition(record.id, 'CONNECTED', 'LOST', {}, NOBODY_HELD);
      this.logger.warn(
        { device: record.deviceId },
        'nobody held the device any more; its attachment is lost',
      );
    }
  }

  /** There never was a descriptor: the record is enough to connect anew, if nobody has to be asked. */
  async #connectAgain({ id, reattachment }: DeviceRecord, record: AttachmentRecord): Promise<void> {
    if (reattachment === 'AUTOMATIC') {
      await this.attachments.handOverRemote(record, true);
      return;
    }
    await this.store.attachments.transition(record.id, 'CONNECTED', 'LOST', {}, CONNECTIONS_GONE);
    this.logger.warn({ device: id }, 'its connections ended with the worker; its attachment is lost');
  }

  async #takeBack(record: AttachmentRecord): Promise<void> {
    const token = randomBytes(TOKEN_BYTES);
    await this.worker.returnDevice(nameOf(record), token);
    const { fd } = await this.inbox.claim(token, RETURN_WAIT_MS);
    try {
      const identity = recordedIdentity(identifyDevice(fd.number));
      if (record.identity === undefined || !identityEquals(record.identity, identity)) {
        throw new HoldfastError(
          'DEVICE_IDENTITY_MISMATCH',
          `the worker returned another device for ${nameOf(record)}`,
          { attachment: nameOf(record) },
        );
      }
      this.holds.keep(record, fd);
      await reached('return.held');
    } catch (error) {
      fd.close();
      throw error;
    }
    this.logger.info({ device: record.deviceId }, 'has its hold back from the worker');
  }

  /** What the worker holds and no record knows was left by a detach or an attach that did not finish. */
  async #releaseOrphans(
    holdings: readonly workerV1.Holding[],
    records: readonly AttachmentRecord[],
  ): Promise<void> {
    const known = new Set(records.map(nameOf));
    for (const { attachment } of holdings) {
      if (known.has(attachment)) continue;
      await this.worker.releaseDevice(attachment).catch((error: unknown) => {
        // Law 1: sessions that no record of ours explains keep it all the same, and only it.
        if (!(error instanceof HoldfastError) || error.code !== 'DEVICE_IN_USE') throw error;
        this.logger.warn({ attachment }, `the worker keeps a device that is not recorded: ${error.message}`);
      });
    }
  }

  /** What the registry holds and no record knows: another one had the database meanwhile, or it was restored. */
  async #letGoUnlessRecorded({ id, deviceId }: HeldAttachment): Promise<void> {
    if (this.drain.isWaiting(deviceId)) return;
    await this.operations.afterOthers(deviceId, 'a repair', async () => {
      const record = (await this.store.devices.find(deviceId))?.attachment;
      if (record?.id === id && isLive(record.state)) return;
      this.holds.letGo(id);
      this.logger.warn({ device: deviceId }, 'let go of a device that is not recorded as attached any more');
    });
  }
}

function namesOf(holdings: readonly workerV1.Holding[]): ReadonlySet<string> {
  return new Set(holdings.map(({ attachment }) => attachment));
}

function nameOf(record: AttachmentRecord): string {
  return attachmentName.format(record.deviceId, record.id);
}
