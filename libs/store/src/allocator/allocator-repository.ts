import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import type { VerifierAuditLog, VerifierNote } from '../verifier-audit/verifier-audit-log.js';
import type { AllocatorDefinition, AllocatorRecord, AllocatorState, Pool } from './allocator-record.js';
import { toAllocatorRecord, toAllocatorRow } from './allocator-row.js';

/** What stands between an allocator and its end. */
export interface AllocatorUsers {
  /** Chunks that maps hold. */
  readonly values: number;
  /** Rows of the dependency table that name it. */
  readonly rows: number;
}

/** The allocators. One process writes them, the allocator-verifier. */
export class AllocatorRepository {
  readonly #database: Database;
  readonly #audit: VerifierAuditLog;

  constructor(database: Database, audit: VerifierAuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Writes the intent to create an allocator. Repeated with the same definition, it answers with the one that exists,
   * in whatever state it is.
   *
   * @throws HoldfastError ALLOCATOR_EXISTS when the name has another definition; POOL_IN_USE naming an allocator that has
   * a part of the region
   */
  async create(definition: AllocatorDefinition): Promise<AllocatorRecord> {
    const data = toAllocatorRow(definition);
    const { name } = data;
    const { record } = await insertOnce(
      () =>
        this.#audit.transaction(async (tx, note) => {
          // One after the other: of two that want the same region, the second sees the first.
          await this.#database.orderAudit(tx);
          await refuseOverlap(tx, definition);
          const row = await tx.allocator.create({
            data: { ...data, state: 'CREATING' satisfies AllocatorState },
          });
          note({
            kind: 'allocator',
            subject: `allocators/${name}`,
            event: 'creating',
            detail: { number: String(row.number) },
          });
          return toAllocatorRecord(row);
        }),
      () => this.find(name),
    );
    if (isDeepStrictEqual(toAllocatorRow(record), data)) return record;
    throw new HoldfastError('ALLOCATOR_EXISTS', `The allocator ${name} exists with another definition.`, {
      allocator: name,
    });
  }

  /**
   * Its device is reserved: from now on it hands out chunks.
   *
   * @returns undefined when it is not CREATING any more
   */
  activate(number: bigint): Promise<AllocatorRecord | undefined> {
    return this.#change(number, ['CREATING'], 'ACTIVE');
  }

  /** It is to be destroyed, and hands out nothing from now on. @returns undefined when it is DESTROYING, or gone */
  drain(number: bigint): Promise<AllocatorRecord | undefined> {
    return this.#change(number, ['CREATING', 'ACTIVE', 'DRAINING'], 'DRAINING');
  }

  /** What was only intended is given up: nothing was ever handed out of it. @returns undefined when it is not CREATING */
  abandon(number: bigint): Promise<AllocatorRecord | undefined> {
    return this.#change(number, ['CREATING'], 'DESTROYING');
  }

  /**
   * If nothing names it, it is to be destroyed for good: nothing can name it any more.
   *
   * @returns what is left; undefined when it is DESTROYING now
   */
  async seal(number: bigint): Promise<AllocatorUsers | undefined> {
    return this.#audit.transaction(async (tx, note) => {
      const [row] = await tx.allocator.updateManyAndReturn({
        where: { number, state: { in: ['DRAINING', 'DESTROYING'] satisfies AllocatorState[] } },
        data: { state: 'DESTROYING' satisfies AllocatorState },
      });
      if (row === undefined) return undefined;
      const users = await usersOf(tx, number);
      if (users.values + users.rows === 0) {
        note({ kind: 'allocator', subject: `allocators/${row.name}`, event: 'destroying' });
        return undefined;
      }
      await tx.allocator.update({ where: { number }, data: { state: 'DRAINING' satisfies AllocatorState } });
      return users;
    });
  }

  /** Forgets an allocator that is DESTROYING, with its pages. Removing what is absent is OK. */
  async remove(number: bigint): Promise<void> {
    await this.#audit.transaction(async (tx, note) => {
      const where = { number, state: 'DESTROYING' satisfies AllocatorState };
      const row = await tx.allocator.findFirst({ where });
      if (row === null) return;
      await tx.allocator.delete({ where: { number } });
      note({ kind: 'allocator', subject: `allocators/${row.name}`, event: 'destroyed' });
    });
  }

  /** @throws HoldfastError ALLOCATOR_NOT_FOUND */
  async get(name: string): Promise<AllocatorRecord> {
    const record = await this.find(name);
    if (record !== undefined) return record;
    throw new HoldfastError('ALLOCATOR_NOT_FOUND', `There is no allocator ${name}.`, { allocator: name });
  }

  async find(name: string): Promise<AllocatorRecord | undefined> {
    const row = await this.#database.run((client) => client.allocator.findUnique({ where: { name } }));
    return row === null ? undefined : toAllocatorRecord(row);
  }

  users(number: bigint): Promise<AllocatorUsers> {
    return this.#database.transaction((tx) => usersOf(tx, number));
  }

  /** By name, in the order of its UTF-8 bytes. */
  async list({ pageSize, after }: PageRequest<string>): Promise<Page<AllocatorRecord, string>> {
    const rows = await this.#database.run((client) =>
      client.allocator.findMany({
        ...(after !== undefined && { where: { name: { gt: after } } }),
        orderBy: { name: 'asc' },
        take: rowsToTake(pageSize),
      }),
    );
    return toPage(rows.map(toAllocatorRecord), pageSize, ({ name }) => name);
  }

  /** All, oldest first: for the start of the service. */
  async listAll(): Promise<AllocatorRecord[]> {
    const rows = await this.#database.run((client) =>
      client.allocator.findMany({ orderBy: { number: 'asc' } }),
    );
    return rows.map(toAllocatorRecord);
  }

  async #change(
    number: bigint,
    from: AllocatorState[],
    to: AllocatorState,
  ): Promise<AllocatorRecord | undefined> {
    return this.#audit.transaction((tx, note) => changeState(tx, note, { number, from, to }));
  }
}

/** A step in the life of an allocator, as part of a transaction. @returns undefined when it is in no such state */
export async function changeState(
  tx: Transaction,
  note: VerifierNote,
  {
    number,
    from,
    to,
  }: { readonly number: bigint; readonly from: AllocatorState[]; readonly to: AllocatorState },
): Promise<AllocatorRecord | undefined> {
  const where = { number, state: { in: from } };
  const [row] = await tx.allocator.updateManyAndReturn({ where, data: { state: to } });
  if (row === undefined) return undefined;
  note({ kind: 'allocator', subject: `allocators/${row.name}`, event: to.toLowerCase() });
  return toAllocatorRecord(row);
}

export async function usersOf(tx: Transaction, allocatorNumber: bigint): Promise<AllocatorUsers> {
  const where = { allocatorNumber };
  return { values: await tx.mapValue.count({ where }), rows: await tx.dependencyRow.count({ where }) };
}

/** @throws HoldfastError POOL_IN_USE */
async function refuseOverlap(tx: Transaction, { name, pool }: AllocatorDefinition): Promise<void> {
  const { deviceId } = pool;
  if (deviceId === undefined) return;
  const rows = await tx.allocator.findMany({ where: { deviceId, name: { not: name } } });
  const other = rows
    .map(toAllocatorRecord)
    .find((one) => one.pool.offset < endOf(pool) && pool.offset < endOf(one.pool));
  if (other === undefined) return;
  throw new HoldfastError(
    'POOL_IN_USE',
    `The allocator ${other.name} has bytes ${String(other.pool.offset)} to ${String(endOf(other.pool) - 1n)} of the device ${deviceId}.`,
    { device: deviceId, allocator: other.name },
  );
}

function endOf({ offset, chunkBytes, capacity }: Pool): bigint {
  return offset + BigInt(chunkBytes) * BigInt(capacity);
}
