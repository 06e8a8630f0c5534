import { HoldfastError } from '@holdfast/foundation';
import {
  deviceAllows,
  grantsLeases,
  isAttachmentState,
  leaseTransition,
  type LiveLeaseState,
} from '@holdfast/lease';
import type { AuditLog, Note } from '../audit/audit-log.js';
import { OWN_ACCORD, type Cause } from '../audit/audit-record.js';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import { deviceNotFound } from '../device/device-errors.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import { refuseIncompatible } from './incompatible.js';
import type { LeaseRecord, LeaseRequest } from './lease-record.js';
import { toLeaseRecord, withSize } from './lease-row.js';

/** Numbers in one statement: well below the parameters that a database takes. */
const STATEMENT_NUMBERS = 1000;

/** Which leases are wanted. */
export interface LeasePageRequest extends PageRequest<bigint> {
  /** Only leases of this device. */
  readonly deviceId?: string | undefined;
}

/** The live leases; a released one leaves nothing behind but its number, which is never used again. */
export class LeaseRepository {
  readonly #database: Database;
  readonly #audit: AuditLog;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Grants a lease on a device that is CONNECTED, in one transaction with that check: from then on the device cannot
   * be detached. Repeated for the same session, it answers with the lease that exists.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; DEVICE_NOT_ATTACHED; DEVICE_READ_ONLY for writing on a read-only device;
   * LEASE_CONFLICT naming the sessions that it cannot live beside; LEASE_REFUSED when the session has a lease for
   * something else, or was cut off
   */
  async grant(request: LeaseRequest, cause: Cause = OWN_ACCORD): Promise<LeaseRecord> {
    const { session } = request;
    const { record, existed } = await insertOnce(
      () => this.#audit.transaction(cause, (tx, note) => this.#grantNew(tx, note, request)),
      () => this.#findBySession(session),
    );
    if (!existed) return record;
    const facts = { session, lease: String(record.number) };
    if (!isSameRequest(record, request)) {
      throw new HoldfastError(
        'LEASE_REFUSED',
        `The session ${session} has a lease for something else.`,
        facts,
      );
    }
    if (record.state === 'FENCED') {
      throw new HoldfastError(
        'LEASE_REFUSED',
        `The session ${session} was cut off by a forced detach; open a new one.`,
        facts,
      );
    }
    return record;
  }

  async #grantNew(tx: Transaction, note: Note, request: LeaseRequest): Promise<LeaseRecord> {
    const { deviceId, access, clientGroup, session, workerInstance } = request;
    // Kept while it is looked at: a detach waits for this transaction, then sees its lease.
    const attachment = await this.#database.holdAttachment(tx, deviceId);
    if (attachment === undefined) {
      const devices = await tx.device.count({ where: { id: deviceId } });
      throw devices === 0 ? deviceNotFound(deviceId) : notAttached(deviceId);
    }
    const { id: attachmentId, state, epoch, currentSizeBytes } = attachment;
    if (!isAttachmentState(state) || !grantsLeases(state)) throw notAttached(deviceId, state);
    if (!deviceAllows(attachment, access)) {
      throw new HoldfastError('DEVICE_READ_ONLY', `The device ${deviceId} is read-only.`, {
        device: deviceId,
        access,
      });
    }
    await refuseIncompatible(tx, request);
    const data = { deviceId, attachmentId, epoch, access, clientGroup, session, workerInstance };
    const row = await tx.lease.create({ data });
    note({ deviceId, attachmentId, lease: row.number, from: '', to: row.state });
    return toLeaseRecord({ ...row, attachment: { currentSizeBytes } });
  }

  async #findBySession(session: string): Promise<LeaseRecord | undefined> {
    const row = await this.#database.run((client) =>
      client.lease.findUnique({ where: { session }, include: withSize }),
    );
    return row === null ? undefined : toLeaseRecord(row);
  }

  /** Releases leases that nobody can use any more, all in one transaction. Releasing what is absent is OK. */
  async release(numbers: readonly bigint[], cause: Cause = OWN_ACCORD): Promise<void> {
    await this.#audit.transaction(cause, async (tx, note) => {
      for (let start = 0; start < numbers.length; start += STATEMENT_NUMBERS) {
        const where = { number: { in: numbers.slice(start, start + STATEMENT_NUMBERS) } };
        const rows = await tx.lease.findMany({ where });
        await tx.lease.deleteMany({ where });
        for (const { number: lease, deviceId, attachmentId, state: from } of rows) {
          note({ deviceId, attachmentId, lease, from, to: 'RELEASED' });
        }
      }
    });
  }

  /**
   * Fences every lease of a device: the intent, before the worker is told to end their sessions.
   *
   * @returns all that are live, with those that were fenced before
   */
  async fence(deviceId: string, cause: Cause = OWN_ACCORD): Promise<LeaseRecord[]> {
    return this.#audit.transaction(cause, async (tx, note) => {
      const where = { deviceId, state: 'GRANTED' satisfies LiveLeaseState };
      const granted = await tx.lease.findMany({ where });
      await tx.lease.updateMany({ where, data: { state: leaseTransition('GRANTED', 'FENCED') } });
      for (const { number: lease, attachmentId } of granted) {
        note({ deviceId, attachmentId, lease, from: 'GRANTED', to: 'FENCED' });
      }
      const rows = await tx.lease.findMany({
        where: { deviceId },
        orderBy: { number: 'asc' },
        include: withSize,
      });
      return rows.map(toLeaseRecord);
    });
  }

  async find(number: bigint): Promise<LeaseRecord | undefined> {
    const row = await this.#database.run((client) =>
      client.lease.findUnique({ where: { number }, include: withSize }),
    );
    return row === null ? undefined : toLeaseRecord(row);
  }

  /** Oldest first. */
  async list({ deviceId, pageSize, after }: LeasePageRequest): Promise<Page<LeaseRecord, bigint>> {
    const rows = await this.#database.run((client) =>
      client.lease.findMany({
        where: {
          ...(deviceId !== undefined && { deviceId }),
          ...(after !== undefined && { number: { gt: after } }),
        },
        orderBy: { number: 'asc' },
        take: rowsToTake(pageSize),
        include: withSize,
      }),
    );
    return toPage(rows.map(toLeaseRecord), pageSize, ({ number }) => number);
  }

  /** Every live lease, oldest first. */
  async listAll(): Promise<LeaseRecord[]> {
    const rows = await this.#database.run((client) =>
      client.lease.findMany({ orderBy: { number: 'asc' }, include: withSize }),
    );
    return rows.map(toLeaseRecord);
  }

  /** The highest number of a live lease, 0n when there is none: up to where a worker may void what has no session. */
  async highestNumber(): Promise<bigint> {
    const { _max } = await this.#database.run((client) => client.lease.aggregate({ _max: { number: true } }));
    return _max.number ?? 0n;
  }
}

function notAttached(device: string, state?: string): HoldfastError {
  const why = state === undefined ? 'it never was' : `its attachment is ${state}`;
  const message = `The device ${device} is not attached: ${why}.`;
  return new HoldfastError('DEVICE_NOT_ATTACHED', message, { device });
}

function isSameRequest(a: LeaseRequest, b: LeaseRequest): boolean {
  return (
    a.deviceId === b.deviceId &&
    a.access === b.access &&
    a.clientGroup === b.clientGroup &&
    a.workerInstance === b.workerInstance
  );
}
