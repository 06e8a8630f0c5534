import { assert, HoldfastError } from '@holdfast/foundation';
import { changeState, usersOf } from '../allocator/allocator-repository.js';
import { writeChunks } from '../allocator/chunk-writes.js';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import type { Program } from '../generated/sqlite/client.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import type { VerifierAuditLog, VerifierNote } from '../verifier-audit/verifier-audit-log.js';
import type { ProgramRecord, RowDefinition, RowRecord, TableWrite } from './program-record.js';

/** Keys in one statement: SQLite takes 32,766 parameters, and a chain may have more rows. */
const KEYS_PER_STATEMENT = 1000;

/** Rows that one query reads. */
const ROWS_READ = 10_000;

const loaded = { state: 'LOADED' } as const;

/** The programs, and the dependency table. One process writes them, the allocator-verifier. */
export class ProgramRepository {
  readonly #database: Database;
  readonly #audit: VerifierAuditLog;

  constructor(database: Database, audit: VerifierAuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Writes a change of the table in one transaction: values first, then rows, then allocators (C1).
   *
   * @throws HoldfastError ALLOCATOR_NOT_FOUND, when an allocator is not in the state that the change is for
   */
  async apply(write: TableWrite): Promise<void> {
    await this.#audit.transaction(async (tx, note) => {
      if (write.chunks !== undefined) await writeChunks(tx, note, write.chunks);
      await writeRows(tx, note, write);
      for (const number of write.activated) {
        requireChanged(await changeState(tx, note, { number, from: ['CREATING'], to: 'ACTIVE' }), number);
      }
      for (const number of write.draining) {
        requireChanged(await changeState(tx, note, { number, from: ['ACTIVE'], to: 'DRAINING' }), number);
      }
      for (const number of write.destroyed) {
        const states = { from: ['ACTIVE' as const, 'DRAINING' as const], to: 'DESTROYING' as const };
        requireChanged(await changeState(tx, note, { number, ...states }), number);
        const { values, rows } = await usersOf(tx, number);
        assert(values + rows === 0, `nothing names the allocator ${String(number)} when it is destroyed`);
      }
      if (write.freedMap !== undefined) await removeMap(tx, note, write.freedMap);
      note({ kind: 'table', subject: 'table', event: 'decided', detail: { trail: write.trail } });
    });
  }

  /** Notes what was asked for and refused. */
  async refuse(trail: string): Promise<void> {
    await this.#audit.transaction((_tx, note) => {
      note({ kind: 'table', subject: 'table', event: 'refused', detail: { trail } });
      return Promise.resolve();
    });
  }

  /** @throws HoldfastError PROGRAM_NOT_LOADED */
  async get(name: string): Promise<ProgramRecord> {
    const row = await this.#database.run((client) =>
      client.program.findFirst({ where: { name, ...loaded } }),
    );
    if (row !== null) return toRecord(row);
    throw new HoldfastError('PROGRAM_NOT_LOADED', `No program ${name} is loaded.`, { program: name });
  }

  /** Those that are loaded, by name, in the order of its UTF-8 bytes. */
  async list({ pageSize, after }: PageRequest<string>): Promise<Page<ProgramRecord, string>> {
    const rows = await this.#database.run((client) =>
      client.program.findMany({
        where: { ...loaded, ...(after !== undefined && { name: { gt: after } }) },
        orderBy: { name: 'asc' },
        take: rowsToTake(pageSize),
      }),
    );
    return toPage(rows.map(toRecord), pageSize, ({ name }) => name);
  }

  /** The whole table, in the order in which it was written; as many rows at a time as one query reads. */
  async *rows(): AsyncGenerator<RowRecord> {
    for (let after = 0n; ;) {
      const rows = await this.#database.run((client) =>
        client.dependencyRow.findMany({
          where: { number: { gt: after } },
          orderBy: { number: 'asc' },
          take: ROWS_READ,
        }),
      );
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < ROWS_READ) return;
      after = last.number;
    }
  }
}

async function writeRows(tx: Transaction, note: VerifierNote, write: TableWrite): Promise<void> {
  if (write.load !== undefined) {
    const { number, name } = await tx.program.create({ data: { ...write.load, ...loaded } });
    await tx.dependencyRow.createMany({ data: write.inserted.map((row) => columnsOf(row, number)) });
    for (const row of write.revived) {
      const data = { ...columnsOf(row, number), discardable: false };
      await tx.dependencyRow.update({ where: { key: row.key }, data });
    }
    note({
      kind: 'program',
      subject: `programs/${name}`,
      event: 'loaded',
      detail: { number: String(number) },
    });
  }
  const programs = new Set<bigint>();
  if (write.unload !== undefined) {
    const where = { name: write.unload, ...loaded };
    const rows = await tx.program.updateManyAndReturn({ where, data: { state: 'UNLOADED' } });
    for (const { number } of rows) programs.add(number);
    note({ kind: 'program', subject: `programs/${write.unload}`, event: 'unloaded' });
  }
  for (const keys of batchesOf(write.discarded)) {
    await tx.dependencyRow.updateMany({ where: { key: { in: keys } }, data: { discardable: true } });
  }
  for (const keys of batchesOf(write.deleted)) {
    const where = { key: { in: keys } };
    const owners = await tx.dependencyRow.findMany({ where, select: { programNumber: true } });
    for (const { programNumber } of owners) programs.add(programNumber);
    await tx.dependencyRow.deleteMany({ where });
  }
  for (const numbers of batchesOf([...programs])) {
    const where = { number: { in: numbers }, state: 'UNLOADED', rows: { none: {} } };
    await tx.program.deleteMany({ where });
  }
}

async function removeMap(tx: Transaction, note: VerifierNote, number: bigint): Promise<void> {
  const { name } = await tx.handleMap.delete({ where: { number } });
  note({ kind: 'map', subject: `maps/${name}`, event: 'freed' });
}

function columnsOf({ other, allocatorNumber, ...row }: RowDefinition, programNumber: bigint) {
  return {
    ...row,
    programNumber,
    otherMapNumber: other?.mapNumber ?? null,
    otherField: other?.field ?? null,
    allocatorNumber: allocatorNumber ?? null,
  };
}

function* batchesOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += KEYS_PER_STATEMENT)
    yield items.slice(at, at + KEYS_PER_STATEMENT);
}

function requireChanged(changed: object | undefined, number: bigint): void {
  if (changed !== undefined) return;
  throw new HoldfastError('ALLOCATOR_NOT_FOUND', `The allocator ${String(number)} is in another state.`, {
    allocator: String(number),
  });
}

function toRecord({ number, name, source, log, createTime }: Program): ProgramRecord {
  return { number, name, source, log, createTime };
}
