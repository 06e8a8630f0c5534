import { HoldfastError } from '@holdfast/foundation';
import { deviceAllows, grantsLeases, isAttachmentState } from '@holdfast/lease';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import { deviceNotFound } from '../device/device-errors.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import type { LeaseRecord, LeaseRequest } from './lease-record.js';
import { toLeaseRecord, withSize } from './lease-row.js';

/** Numbers in one statement: well below the parameters that a database takes. */
const RELEASE_CHUNK = 1000;

/** Which leases are wanted. */
export interface LeasePageRequest extends PageRequest<bigint> {
  /** Only leases of this device. */
  readonly deviceId?: string | undefined;
}

/** The live leases; a released one leaves nothing behind but its number, which is never used again. */
export class LeaseRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Grants a lease on a device that is CONNECTED, in one transaction with that check: from then on the device cannot
   * be detached. Repeated for the same session, it answers with the lease that exists.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; DEVICE_NOT_ATTACHED; DEVICE_READ_ONLY for READ_WRITE on a read-only device, or
   * when the session has a lease for something else
   */
  async grant(request: LeaseRequest): Promise<LeaseRecord> {
    const { session } = request;
    const { record, existed } = await insertOnce(
      () => this.#database.transaction((tx) => this.#grantNew(tx, request)),
      () => this.#findBySession(session),
    );
    if (!existed || isSameRequest(record, request)) return record;
    throw new HoldfastError('LEASE_REFUSED', `The session ${session} has a lease for something else.`, {
      session,
      lease: String(record.number),
    });
  }

  async #grantNew(tx: Transaction, request: LeaseRequest): Promise<LeaseRecord> {
    const { deviceId, access, session, workerInstance } = request;
    // Kept while it is looked at: a detach waits for this transaction, then sees its lease.
    const attachment = await this.#database.holdAttachment(tx, deviceId);
    if (attachment === undefined) {
      const devices = await tx.device.count({ where: { id: deviceId } });
      throw devices === 0 ? deviceNotFound(deviceId) : notAttached(deviceId);
    }
    const { id: attachmentId, state, epoch, sizeBytes } = attachment;
    if (!isAttachmentState(state) || !grantsLeases(state)) throw notAttached(deviceId, state);
    if (!deviceAllows(attachment, access)) {
      throw new HoldfastError('DEVICE_READ_ONLY', `The device ${deviceId} is read-only.`, {
        device: deviceId,
        access,
      });
    }
    const data = { deviceId, attachmentId, epoch, access, session, workerInstance };
    return toLeaseRecord({ ...(await tx.lease.create({ data })), attachment: { sizeBytes } });
  }

  async #findBySession(session: string): Promise<LeaseRecord | undefined> {
    const row = await this.#database.run((client) =>
      client.lease.findUnique({ where: { session }, include: withSize }),
    );
    return row === null ? undefined : toLeaseRecord(row);
  }

  /** Releases leases that nobody can use any more, all in one transaction. Releasing what is absent is OK. */
  async release(numbers: readonly bigint[]): Promise<void> {
    if (numbers.length <= RELEASE_CHUNK) {
      const where = { number: { in: [...numbers] } };
      await this.#database.run((client) => client.lease.deleteMany({ where }));
      return;
    }
    await this.#database.transaction(async (tx) => {
      for (let start = 0; start < numbers.length; start += RELEASE_CHUNK) {
        const chunk = numbers.slice(start, start + RELEASE_CHUNK);
        await tx.lease.deleteMany({ where: { number: { in: chunk } } });
      }
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
  return a.deviceId === b.deviceId && a.access === b.access && a.workerInstance === b.workerInstance;
}
