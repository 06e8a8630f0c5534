import { randomBytes } from 'node:crypto';
import { attachmentName, toIdentityMessage, toRemoteMessage } from '@holdfast/contracts';
import { assert, HoldfastError, messageOf, type Diskseq } from '@holdfast/foundation';
import { identifyDevice, lockDevice, sendHandoff, type OwnedFd } from '@holdfast/linux';
import { reached, type Logger } from '@holdfast/service';
import {
  OWN_ACCORD,
  type AttachmentRecord,
  type DeviceRecord,
  type LocalBacking,
  type NbdBacking,
  type Store,
} from '@holdfast/store';
import { toNbdMessage } from '../device/nbd-message.js';
import { askRemote } from '../opening/ask-remote.js';
import { openBacking } from '../opening/open-backing.js';
import { openDirectIfAsked } from '../opening/open-direct.js';
import type { WorkerLink } from '../worker/worker-link.js';
import { AT_ONCE, type Drain } from './drain.js';
import type { DeviceOperations } from './device-operations.js';
import { isUnexpected, refuseUnexpected } from './expected-diskseq.js';
import type { Holds } from './holds.js';
import { anyDevice, type DeviceCheck } from './reattachment.js';
import { recordedIdentity } from './recorded-identity.js';
import type { Unrepaired } from './unrepaired.js';

const TOKEN_BYTES = 16;

export interface Detached {
  readonly device: DeviceRecord;
  /** Names of the sessions that were cut off, as the caller demanded. */
  readonly cutSessions: string[];
}

/** Of an attach that nobody asked for just now. */
export interface AttachCircumstances {
  /** What else the open device has to pass. */
  readonly check?: DeviceCheck;
  /** Only if the device should be attached, when it comes to it. */
  readonly ifWanted?: boolean;
}

/** Attach and detach: intent before the act, outcome after it (law 2); what a crash leaves is the reconciler's. */
export class AttachmentService {
  constructor(
    private readonly store: Store,
    private readonly holds: Holds,
    private readonly operations: DeviceOperations,
    private readonly worker: WorkerLink,
    private readonly drain: Drain,
    private readonly unrepaired: Unrepaired,
    private readonly workerHandoff: string,
    private readonly logger: Logger,
  ) {}

  /**
   * Opens the device, records who it is, and has the worker hold it too. Attached already is OK.
   *
   * @param expected the diskseq that the caller expects; undefined: whatever it is (D2)
   */
  attach(
    deviceId: string,
    cause = OWN_ACCORD,
    expected?: Diskseq,
    { check = anyDevice, ifWanted = false }: AttachCircumstances = {},
  ): Promise<DeviceRecord> {
    return this.operations.exclusive(deviceId, 'an attach', async () => {
      this.worker.requireUp();
      this.unrepaired.refuse(deviceId);
      const begun = ifWanted
        ? await this.store.attachments.beginIfWanted(deviceId, cause)
        : await this.store.attachments.begin(deviceId, cause);
      if (begun?.kind === 'attaching') await this.#carryOut(deviceId, begun.attachment, check, expected);
      else if (begun !== undefined) refuseUnexpected(deviceId, begun.attachment.identity, expected);
      return this.store.devices.get(deviceId);
    });
  }

  /** @throws HoldfastError WORKER_UNAVAILABLE until the records have been compared with what the worker holds */
  requireSettled(): void {
    this.worker.requireUp();
  }

  /**
   * Has the worker let go, then lets go. Detached already is OK.
   *
   * @throws HoldfastError DEVICE_IN_USE while leases are live, after the wait that the caller allows; at once while it is
   * reserved
   */
  async detach(deviceId: string, cause = OWN_ACCORD, options = AT_ONCE): Promise<Detached> {
    // Whoever waits may have gone, and cannot tell: the one who asks now counts.
    const takesOver = await this.drain.giveUp(deviceId);
    const run = async () => {
      // Before any session is made to end: they cannot be.
      await this.store.reservations.requireNone(deviceId);
      const cutSessions = await this.drain.emptied(deviceId, cause, options);
      const begun = await this.store.attachments.beginDetach(deviceId, {}, cause);
      if (begun.kind === 'detaching') await this.finishDetach(begun.attachment);
      return { device: await this.store.devices.get(deviceId), cutSessions };
    };
    if (takesOver) return this.operations.afterOthers(deviceId, 'a detach', run);
    return this.operations.exclusive(deviceId, 'a detach', run);
  }

  /** From DETACHING to RELEASED, or back to CONNECTED when the worker does not let go. */
  async finishDetach(attachment: AttachmentRecord): Promise<void> {
    const { id, deviceId } = attachment;
    await reached('detach.intended');
    try {
      await this.worker.releaseDevice(attachmentName.format(deviceId, id));
    } catch (error) {
      await this.store.attachments.transition(
        id,
        'DETACHING',
        'CONNECTED',
        { wantedAttached: true },
        { actor: 'worker', reason: messageOf(error) },
      );
      throw error;
    }
    await reached('detach.confirmed');
    this.holds.letGo(id);
    await reached('detach.let-go');
    await this.store.attachments.transition(id, 'DETACHING', 'RELEASED');
    await reached('detach.released');
    this.unrepaired.drop(deviceId);
    this.logger.info({ device: deviceId }, 'detached');
  }

  /** Detach when the worker is proven gone and holds nothing any more; the device stays wanted. */
  async releaseWithoutWorker(deviceId: string): Promise<void> {
    const begun = await this.store.attachments.beginDetach(deviceId, { keepWanted: true });
    if (begun.kind === 'detached') return;
    this.holds.letGo(begun.attachment.id);
    await this.store.attachments.transition(begun.attachment.id, 'DETACHING', 'RELEASED');
  }

  /** Hands a held descriptor to the worker, which compares the identity on what it received (law 3). */
  async handOver(attachment: AttachmentRecord, fd: OwnedFd): Promise<void> {
    assert(attachment.identity !== undefined, 'a device is identified before it is handed over');
    const { readOnly } = await this.store.devices.get(attachment.deviceId);
    const token = randomBytes(TOKEN_BYTES);
    await sendHandoff(this.workerHandoff, token, new Uint8Array(), fd.number);
    await reached('handover.sent');
    await this.worker.adoptDevice({
      token,
      holding: {
        attachment: attachmentName.format(attachment.deviceId, attachment.id),
        epoch: attachment.epoch,
        device: { $case: 'identity', value: toIdentityMessage(attachment.identity) },
        sizeBytes: BigInt(attachment.sizeBytes),
        readOnly,
      },
      resumed: false,
    });
  }

  /**
   * Has the worker hold an export of another NBD server, which it compares with what was offered.
   *
   * @param resumed it was attached before: the worker holds it although the server may be away just now
   */
  async handOverRemote(attachment: AttachmentRecord, resumed: boolean): Promise<void> {
    const { backing, readOnly } = await this.store.devices.get(attachment.deviceId);
    assert(
      backing.kind === 'nbd' && attachment.remote !== undefined,
      'a remote export is asked what it offers',
    );
    await this.worker.adoptDevice({
      token: new Uint8Array(),
      holding: {
        attachment: attachmentName.format(attachment.deviceId, attachment.id),
        epoch: attachment.epoch,
        device: {
          $case: 'remote',
          value: { backing: toNbdMessage(backing), offer: toRemoteMessage(attachment.remote) },
        },
        sizeBytes: BigInt(attachment.sizeBytes),
        readOnly,
      },
      resumed,
    });
  }

  async #carryOut(
    deviceId: string,
    attachment: AttachmentRecord,
    check: DeviceCheck,
    expected?: Diskseq,
  ): Promise<void> {
    try {
      await reached('attach.intended');
      const device = await this.store.devices.get(deviceId);
      const { backing } = device;
      if (backing.kind === 'nbd') await this.#connect(attachment, backing, expected);
      else await this.#open(attachment, device, backing, { check, expected });
      await reached('attach.confirmed');
      await this.store.attachments.transition(attachment.id, 'ATTACHING', 'CONNECTED');
      await reached('attach.connected');
      this.logger.info({ device: deviceId, epoch: attachment.epoch.toString() }, 'attached');
    } catch (error) {
      await this.#undo(attachment, error, expected !== undefined);
      throw error;
    }
  }

  /** Who it is comes before its lock: of the same device under another name the record tells more. */
  async #open(
    attachment: AttachmentRecord,
    device: DeviceRecord,
    backing: LocalBacking,
    { check, expected }: { check: DeviceCheck; expected: Diskseq | undefined },
  ): Promise<void> {
    const { fd: unlocked, path, verified, fileLocked } = await openBacking(backing, device);
    using opened = unlocked;
    await reached('attach.opened');
    const open = identifyDevice(opened.number);
    const identity = recordedIdentity(open);
    refuseUnexpected(device.id, identity, expected);
    check(identity);
    const identified = await this.store.attachments.recordIdentity(attachment.id, {
      identity,
      sizeBytes: open.sizeBytes,
      verified: verified || expected !== undefined,
    });
    await reached('attach.identified');
    const { fd, locked } = lockDevice(opened, path, device);
    this.holds.keep(attachment, fd);
    // After the lock: a block device is opened once more for it.
    openDirectIfAsked(backing, fd.number, path);
    await reached('attach.held');
    if (!locked || !fileLocked) {
      this.logger.warn({ path }, 'no locks on this file system: nothing keeps other programs off the image');
    }
    await this.handOver(identified, fd);
  }

  /** There is no descriptor to hold: the record is all that the registry keeps of it. */
  async #connect(
    attachment: AttachmentRecord,
    backing: NbdBacking,
    expected: Diskseq | undefined,
  ): Promise<void> {
    refuseUnexpected(attachment.deviceId, undefined, expected);
    const offered = await this.store.attachments.recordRemote(attachment.id, await askRemote(backing));
    await reached('attach.identified');
    await this.handOverRemote(offered, false);
  }

  /** A worker that adopted the device although its answer was lost is told to let go; one that died has. */
  async #undo(attachment: AttachmentRecord, error: unknown, wasExpected: boolean): Promise<void> {
    const { deviceId } = attachment;
    await this.worker
      .releaseDevice(attachmentName.format(deviceId, attachment.id))
      .catch((problem: unknown) => {
        this.logger.warn({ device: deviceId }, `after a failed attach: ${messageOf(problem)}`);
      });
    this.holds.letGo(attachment.id);
    await this.store.attachments.transition(attachment.id, 'ATTACHING', 'FAILED', {
      errorReason: error instanceof HoldfastError ? error.code : 'INTERNAL',
      errorMessage: messageOf(error),
      // What the caller expected of the device is not known to whoever would attach it again.
      ...((wasExpected || isUnexpected(error)) && { wantedAttached: false }),
    });
  }
}
