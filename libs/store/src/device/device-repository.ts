import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';
import { isLive } from '@holdfast/lease';
import { toAttachmentRecord } from '../attachment/attachment-row.js';
import type { AuditLog } from '../audit/audit-log.js';
import { OWN_ACCORD, type Cause } from '../audit/audit-record.js';
import type { Transaction } from '../database/client.js';
import { isReferenceViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import { namesOfSessions } from '../lease/names-of-sessions.js';
import { holdersOf } from '../reservation/holders-of.js';
import { backingColumns } from './backing-columns.js';
import { deviceInUse, deviceNotFound, NAMES_TAKEN, type DeviceUsers } from './device-errors.js';
import type { DeviceDefinition, DeviceRecord } from './device-record.js';
import { toDeviceRecord, withAttachment } from './device-row.js';

/** Times that an export may appear between looking for one and removing its device. */
const REMOVE_ATTEMPTS_MAX = 3;

/** The registered devices. */
export class DeviceRepository {
  readonly #database: Database;
  readonly #audit: AuditLog;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Registers a device. Repeated with the same definition, it answers with the device that exists.
   *
   * @throws HoldfastError DEVICE_EXISTS when the id has another definition
   */
  async create(definition: DeviceDefinition, cause: Cause = OWN_ACCORD): Promise<DeviceRecord> {
    const wanted = definitionOf(definition);
    const { id, backing, ...rest } = wanted;
    const data = { id, ...backingColumns(backing), ...rest };
    const { record } = await insertOnce(
      () =>
        this.#audit.transaction(cause, async (tx, note) => {
          const row = await tx.device.create({ data });
          note({ deviceId: id, from: '', to: 'REGISTERED' });
          return toDeviceRecord({ ...row, attachment: null });
        }),
      () => this.find(id),
    );
    if (isDeepStrictEqual(definitionOf(record), wanted)) return record;
    throw new HoldfastError('DEVICE_EXISTS', `The device ${id} exists with another definition.`, {
      device: id,
    });
  }

  /** @throws HoldfastError DEVICE_NOT_FOUND */
  async get(id: string): Promise<DeviceRecord> {
    const device = await this.find(id);
    if (device === undefined) throw deviceNotFound(id);
    return device;
  }

  async find(id: string): Promise<DeviceRecord | undefined> {
    const row = await this.#database.run((client) =>
      client.device.findUnique({ where: { id }, include: withAttachment }),
    );
    return row === null ? undefined : toDeviceRecord(row);
  }

  /** By id, in the order of its UTF-8 bytes. */
  async list({ pageSize, after }: PageRequest<string>): Promise<Page<DeviceRecord, string>> {
    const rows = await this.#database.run((client) =>
      client.device.findMany({
        ...(after !== undefined && { where: { id: { gt: after } } }),
        orderBy: { id: 'asc' },
        take: rowsToTake(pageSize),
        include: withAttachment,
      }),
    );
    return toPage(rows.map(toDeviceRecord), pageSize, ({ id }) => id);
  }

  /** All devices that should be attached, by id. */
  async listWanted(): Promise<DeviceRecord[]> {
    const rows = await this.#database.run((client) =>
      client.device.findMany({
        where: { wantedAttached: true },
        orderBy: { id: 'asc' },
        include: withAttachment,
      }),
    );
    return rows.map(toDeviceRecord);
  }

  /**
   * Says whether the device should be attached.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND
   */
  async setWanted(id: string, wanted: boolean): Promise<void> {
    const { count } = await this.#database.run((client) =>
      client.device.updateMany({ where: { id }, data: { wantedAttached: wanted } }),
    );
    if (count === 0) throw deviceNotFound(id);
  }

  /**
   * For whoever means to detach a device in order to remove it: finds out first whether that can succeed.
   *
   * @throws HoldfastError DEVICE_IN_USE naming the leases, exports and reservations; its attachment alone is no obstacle
   */
  async requireUnused(id: string): Promise<void> {
    const users = await this.#database.transaction((tx) => findUsers(tx, id));
    const { sessions = [], exports = [], reservations = [] } = users ?? {};
    if (sessions.length + exports.length + reservations.length === 0) return;
    throw deviceInUse(id, { sessions, exports, reservations });
  }

  /**
   * Forgets a device and its last attachment. Removing what is absent is OK.
   *
   * @throws HoldfastError DEVICE_IN_USE while it is attached, or leases, exports or reservations name it; the message says which
   */
  async remove(id: string, cause: Cause = OWN_ACCORD): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#audit.transaction(cause, async (tx, note) => {
          if (await removeUnused(tx, id)) note({ deviceId: id, from: 'REGISTERED', to: 'REMOVED' });
        });
        return;
      } catch (error) {
        // An export came between the look and the deed; the next look names it.
        if (!isReferenceViolation(error) || attempt === REMOVE_ATTEMPTS_MAX) throw error;
      }
    }
  }
}

/** @returns whether it was there */
async function removeUnused(tx: Transaction, id: string): Promise<boolean> {
  // Written first: it keeps the row, so that no attachment can begin which would vanish with it.
  const { count } = await tx.device.updateMany({ where: { id }, data: { wantedAttached: false } });
  if (count === 0) return false;
  const users = await findUsers(tx, id);
  if (users !== undefined) throw deviceInUse(id, users);
  await tx.device.delete({ where: { id } });
  return true;
}

async function findUsers(tx: Transaction, deviceId: string): Promise<DeviceUsers | undefined> {
  const sessions = await namesOfSessions(tx, deviceId);
  const exports = await tx.export.findMany({
    where: { deviceId },
    select: { id: true },
    orderBy: { id: 'asc' },
    take: NAMES_TAKEN,
  });
  const reservations = await holdersOf(tx, deviceId);
  const attachment = await tx.attachment.findUnique({ where: { deviceId } });
  const isAttached = attachment !== null && isLive(toAttachmentRecord(attachment).state);
  if (sessions.length + exports.length + reservations.length === 0 && !isAttached) return undefined;
  return {
    sessions,
    exports: exports.map((row) => row.id),
    reservations,
    ...(isAttached && { attachment: attachment.state }),
  };
}

/** What a device was created with: all of it is written, and all of it is compared when the call is repeated. */
function definitionOf({ id, backing, readOnly, transient, reattachment }: DeviceDefinition) {
  return { id, backing, readOnly, transient, reattachment: reattachment ?? 'AUTOMATIC' };
}
