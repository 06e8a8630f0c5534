import { AssertionFailure, HoldfastError, type BootId, type ByteCount } from '@holdfast/foundation';
import {
  grantsLeases,
  identityKey,
  isLive,
  transition,
  type AttachmentState,
  type DeviceIdentity,
  type NextAttachmentState,
} from '@holdfast/lease';
import type { AuditLog } from '../audit/audit-log.js';
import { OWN_ACCORD, type Cause } from '../audit/audit-record.js';
import { isUniqueViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import { deviceBusy, deviceInUse, deviceNotFound } from '../device/device-errors.js';
import { namesOfSessions } from '../lease/names-of-sessions.js';
import { holdersOf } from '../reservation/holders-of.js';
import type {
  AttachmentRecord,
  BeginDetachResult,
  BeginResult,
  IdentifiedDevice,
  OfferedRemote,
  TransitionPatch,
} from './attachment-record.js';
import { identityColumns, liveStates, toAttachmentRecord } from './attachment-row.js';
import {
  changeIn,
  createNext,
  detachingFrom,
  refuseUnlessDetached,
  removeFinal,
  stateColumns,
} from './attachment-statements.js';
import { remoteColumn } from './remote-column.js';

/** What {@link AttachmentRepository.transition} offers: detaching has {@link AttachmentRepository.beginDetach}. */
type PlainNextState<From extends AttachmentState> = Exclude<NextAttachmentState<From>, 'DETACHING'>;

/**
 * The latest attachment of each device. Every change of state is a compare-and-set: of two that try the same, one
 * succeeds. The device's row is always written before its attachment's, so that no two transactions wait for each
 * other.
 */
export class AttachmentRepository {
  readonly #database: Database;
  readonly #audit: AuditLog;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Writes the intent to attach a device: a new attachment in ATTACHING, of the next epoch, in place of the last one.
   * Also says that the device should be attached.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; DEVICE_BUSY while it is ATTACHING or DETACHING; DEVICE_IN_USE while leases
   * of a LOST attachment are not released yet
   */
  async begin(deviceId: string, cause: Cause = OWN_ACCORD): Promise<BeginResult> {
    const begun = await this.#begin(deviceId, cause, {});
    if (begun === undefined) throw deviceNotFound(deviceId);
    return begun;
  }

  /**
   * The same for a device that should be attached already.
   *
   * @returns undefined when somebody has detached or removed it meanwhile
   */
  beginIfWanted(deviceId: string, cause: Cause): Promise<BeginResult | undefined> {
    return this.#begin(deviceId, cause, { wantedAttached: true });
  }

  #begin(
    deviceId: string,
    cause: Cause,
    condition: { readonly wantedAttached?: true },
  ): Promise<BeginResult | undefined> {
    return this.#audit.transaction(cause, async (tx, note) => {
      // Written first: of two that begin, the second waits here, and then sees what the first has made.
      const { count } = await tx.device.updateMany({
        where: { id: deviceId, ...condition },
        data: { wantedAttached: true },
      });
      if (count === 0) return undefined;
      const row = await tx.attachment.findUnique({ where: { deviceId } });
      if (row !== null) {
        const last = toAttachmentRecord(row);
        if (grantsLeases(last.state)) return { kind: 'connected', attachment: last };
        if (isLive(last.state)) throw deviceBusy(deviceId, last.state);
        await removeFinal(tx, last);
      }
      const attachment = await createNext(tx, deviceId);
      note({ deviceId, attachmentId: attachment.id, from: '', to: attachment.state });
      return { kind: 'attaching', attachment };
    });
  }

  /**
   * Records who the device is, read on its open descriptor. From now on, and until the attachment ends, no other
   * attachment can be of the same identity.
   *
   * @throws HoldfastError DEVICE_ATTACHED_TWICE naming the other device; DEVICE_BUSY when the attachment is not
   * ATTACHING, or was replaced
   */
  async recordIdentity(
    id: string,
    { identity, sizeBytes, verified }: IdentifiedDevice,
  ): Promise<AttachmentRecord> {
    const size = BigInt(sizeBytes);
    const data = { ...identityColumns(identity), sizeBytes: size, currentSizeBytes: size, verified };
    try {
      return await this.#database.run((client) => changeIn(client, id, 'ATTACHING', data));
    } catch (error) {
      throw isUniqueViolation(error) ? await this.#attachedTwice(id, identity, error) : error;
    }
  }

  /**
   * Records what another NBD server offers of its export. Nothing tells whether two attachments are of the same one.
   *
   * @throws HoldfastError DEVICE_BUSY when the attachment is not ATTACHING, or was replaced
   */
  async recordRemote(id: string, { remote, sizeBytes }: OfferedRemote): Promise<AttachmentRecord> {
    const size = BigInt(sizeBytes);
    const data = { remote: remoteColumn(remote), sizeBytes: size, currentSizeBytes: size, verified: false };
    return this.#database.run((client) => changeIn(client, id, 'ATTACHING', data));
  }

  async #attachedTwice(id: string, identity: DeviceIdentity, cause: unknown): Promise<HoldfastError> {
    const other = await this.#database.run((client) =>
      client.attachment.findUnique({ where: { liveIdentity: identityKey(identity) } }),
    );
    // The other one may have ended since; the caller is refused all the same and may repeat.
    const device = other?.deviceId ?? 'another device';
    const message = `The same file or block device is attached as ${device}.`;
    return new HoldfastError('DEVICE_ATTACHED_TWICE', message, { device, attachment: id }, cause);
  }

  /**
   * Moves an attachment from one state to the next, if it is still in the first. A final state gives the identity
   * back. From CONNECTED to DETACHING leads {@link beginDetach} alone, because it looks for leases.
   *
   * @throws HoldfastError DEVICE_BUSY when the attachment is in another state, or was replaced
   * @throws AssertionFailure for a transition that is not declared
   */
  async transition<From extends AttachmentState>(
    id: string,
    from: From,
    to: PlainNextState<From>,
    patch: TransitionPatch = {},
    cause: Cause = OWN_ACCORD,
  ): Promise<AttachmentRecord> {
    transition(from, to);
    if ((to as AttachmentState) === 'DETACHING')
      throw new AssertionFailure('beginDetach alone leads to DETACHING');
    const { wantedAttached, ...columns } = patch;
    const data = { ...columns, ...stateColumns(to) };
    return this.#audit.transaction(cause, async (tx, note) => {
      if (wantedAttached !== undefined) {
        await tx.device.updateMany({ where: { attachment: { id } }, data: { wantedAttached } });
      }
      const changed = await changeIn(tx, id, from, data);
      note({ deviceId: changed.deviceId, attachmentId: id, from, to });
      return changed;
    });
  }

  /**
   * Writes the intent to detach a device: no lease is live, and from now on none is granted. Also says that the device
   * should not be attached, unless `keepWanted`: then it is detached for a while only, which those who reserved it outlive.
   * Detaching what is not attached is OK.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; DEVICE_IN_USE while leases are live or it is reserved, naming who; DEVICE_BUSY
   * while it is ATTACHING or DETACHING already
   */
  async beginDetach(
    deviceId: string,
    { keepWanted = false }: { readonly keepWanted?: boolean } = {},
    cause: Cause = OWN_ACCORD,
  ): Promise<BeginDetachResult> {
    return this.#audit.transaction(cause, async (tx, note) => {
      const where = { id: deviceId };
      const devices = keepWanted
        ? await tx.device.count({ where })
        : (await tx.device.updateMany({ where, data: { wantedAttached: false } })).count;
      if (devices === 0) throw deviceNotFound(deviceId);
      // Written before looking for leases: a grant under way holds the attachment, so this waits until its lease can
      // be seen; a grant that comes later waits for us, and then finds the attachment DETACHING.
      const found = await detachingFrom(tx, deviceId);
      if (found === undefined) return refuseUnlessDetached(tx, deviceId);
      const { row, from } = found;
      const sessions = await namesOfSessions(tx, deviceId);
      const reservations = keepWanted ? [] : await holdersOf(tx, deviceId);
      if (sessions.length + reservations.length > 0) throw deviceInUse(deviceId, { sessions, reservations });
      const attachment = toAttachmentRecord(row);
      note({ deviceId, attachmentId: attachment.id, from, to: attachment.state });
      return { kind: 'detaching', attachment };
    });
  }

  /**
   * Whatever was open before this boot is not any more, and nothing else has its identity (D5): live attachments that
   * were identified in another boot become LOST.
   *
   * @returns the ids of their devices
   */
  async loseOfOtherBoots(boot: BootId, cause: Cause): Promise<string[]> {
    return this.#audit.transaction(cause, async (tx, note) => {
      const rows = await tx.attachment.findMany({
        where: { state: { in: liveStates }, bootId: { not: boot } },
        orderBy: { deviceId: 'asc' },
      });
      for (const { id, deviceId, state: from } of rows.map(toAttachmentRecord)) {
        await changeIn(tx, id, from, stateColumns('LOST'));
        note({ deviceId, attachmentId: id, from, to: 'LOST' });
      }
      return rows.map(({ deviceId }) => deviceId);
    });
  }

  /**
   * Notes what size an attached device has now; leases that are granted from now on are of this size.
   *
   * @returns the size before; undefined when it is the same, or nothing is attached
   */
  async noteSize(id: string, sizeBytes: ByteCount): Promise<ByteCount | undefined> {
    const row = await this.#database.run((client) => client.attachment.findUnique({ where: { id } }));
    if (row === null) return undefined;
    const { deviceId, state, currentSizeBytes: before } = toAttachmentRecord(row);
    if (before === sizeBytes || !isLive(state)) return undefined;
    const how = sizeBytes > before ? 'grew' : 'shrank';
    const reason = `the device ${how} from ${String(before)} to ${String(sizeBytes)} bytes`;
    return this.#audit.transaction({ actor: 'registry', reason }, async (tx, note) => {
      const { count } = await tx.attachment.updateMany({
        where: { id, state, currentSizeBytes: BigInt(before) },
        data: { currentSizeBytes: BigInt(sizeBytes) },
      });
      // Its state has changed meanwhile: the next look tells.
      if (count === 0) return undefined;
      note({ deviceId, attachmentId: id, from: state, to: state });
      return before;
    });
  }

  /** Says of an attachment that has ended why the device is not attached again by itself. */
  async withhold(id: string, { code, message }: HoldfastError): Promise<void> {
    const ended = ['LOST', 'RELEASED'] satisfies AttachmentState[];
    const data = { errorReason: code, errorMessage: message };
    await this.#database.run((client) =>
      client.attachment.updateMany({ where: { id, state: { in: ended } }, data }),
    );
  }

  /** All attachments that are not in a final state, by device id. */
  async listLive(): Promise<AttachmentRecord[]> {
    const rows = await this.#database.run((client) =>
      client.attachment.findMany({ where: { state: { in: liveStates } }, orderBy: { deviceId: 'asc' } }),
    );
    return rows.map(toAttachmentRecord);
  }
}
