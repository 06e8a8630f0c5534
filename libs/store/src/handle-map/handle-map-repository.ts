import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';
import { isReferenceViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import type { HandleMap, MapField } from '../generated/sqlite/client.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import type { VerifierAuditLog } from '../verifier-audit/verifier-audit-log.js';
import type { HandleMapDefinition, HandleMapRecord, Slot, ValueRecord } from './handle-map-record.js';
import { toValueRecord } from './value-row.js';

const withFields = { fields: { orderBy: { position: 'asc' } } } as const;

/** Handles that one query reads. */
const VALUES_READ = 10_000;

/** Which values of a map are wanted. */
export interface ValuePageRequest extends PageRequest<Pick<Slot, 'field' | 'entry'>> {
  readonly mapNumber: bigint;
}

/** The maps, and the handles that they keep. One process writes them, the allocator-verifier. */
export class HandleMapRepository {
  readonly #database: Database;
  readonly #audit: VerifierAuditLog;

  constructor(database: Database, audit: VerifierAuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Creates a map, every field of which is null. Repeated with the same definition, it answers with the map that exists.
   *
   * @throws HoldfastError MAP_EXISTS when the name has another definition
   */
  async create({ name, entries, fields }: HandleMapDefinition): Promise<HandleMapRecord> {
    const { record } = await insertOnce(
      () =>
        this.#audit.transaction(async (tx, note) => {
          const named = fields.map((field, position) => ({ name: field, position }));
          const data = { name, entries, fields: { create: named } };
          const row = await tx.handleMap.create({ data, include: withFields });
          note({
            kind: 'map',
            subject: `maps/${name}`,
            event: 'created',
            detail: { number: String(row.number) },
          });
          return toRecord(row);
        }),
      () => this.find(name),
    );
    if (record.entries === entries && isDeepStrictEqual(record.fields, [...fields])) return record;
    throw new HoldfastError('MAP_EXISTS', `The map ${name} exists with another definition.`, { map: name });
  }

  /** @throws HoldfastError MAP_NOT_FOUND */
  async get(name: string): Promise<HandleMapRecord> {
    const record = await this.find(name);
    if (record !== undefined) return record;
    throw new HoldfastError('MAP_NOT_FOUND', `There is no map ${name}.`, { map: name });
  }

  async find(name: string): Promise<HandleMapRecord | undefined> {
    const row = await this.#database.run((client) =>
      client.handleMap.findUnique({ where: { name }, include: withFields }),
    );
    return row === null ? undefined : toRecord(row);
  }

  /** By name, in the order of its UTF-8 bytes. */
  async list({ pageSize, after }: PageRequest<string>): Promise<Page<HandleMapRecord, string>> {
    const rows = await this.#database.run((client) =>
      client.handleMap.findMany({
        ...(after !== undefined && { where: { name: { gt: after } } }),
        orderBy: { name: 'asc' },
        take: rowsToTake(pageSize),
        include: withFields,
      }),
    );
    return toPage(rows.map(toRecord), pageSize, ({ name }) => name);
  }

  /** The handles of a map, by field and entry. */
  async values({
    mapNumber,
    pageSize,
    after,
  }: ValuePageRequest): Promise<Page<ValueRecord, Pick<Slot, 'field' | 'entry'>>> {
    const behind =
      after === undefined
        ? {}
        : { OR: [{ field: { gt: after.field } }, { field: after.field, entry: { gt: after.entry } }] };
    const rows = await this.#database.run((client) =>
      client.mapValue.findMany({
        where: { mapNumber, ...behind },
        orderBy: [{ field: 'asc' }, { entry: 'asc' }],
        take: rowsToTake(pageSize),
      }),
    );
    return toPage(rows.map(toValueRecord), pageSize, ({ field, entry }) => ({ field, entry }));
  }

  /** Every handle that any map holds; as many at a time as one query reads. */
  async *allValues(): AsyncGenerator<ValueRecord, void> {
    for (let after: Slot | undefined; ;) {
      const rows = await this.#database.run((client) =>
        client.mapValue.findMany({
          ...(after !== undefined && { where: { OR: behindSlot(after) } }),
          orderBy: [{ mapNumber: 'asc' }, { field: 'asc' }, { entry: 'asc' }],
          take: VALUES_READ,
        }),
      );
      yield* rows.map(toValueRecord);
      after = rows.at(-1);
      if (after === undefined || rows.length < VALUES_READ) return;
    }
  }

  /**
   * Begins an epoch of each of these maps that clients are served: on the disk before what it is for (laws 2 and 4).
   *
   * @returns what has begun; nothing of maps that clients were never served
   */
  raiseEpochs(numbers: readonly bigint[]): Promise<{ readonly number: bigint; readonly epoch: bigint }[]> {
    const where = { number: { in: [...numbers] }, epoch: { gt: 0n } };
    return this.#database.transaction(async (tx) => {
      const { count } = await tx.handleMap.updateMany({ where, data: { epoch: { increment: 1n } } });
      if (count === 0) return [];
      return tx.handleMap.findMany({ where, select: { number: true, epoch: true } });
    });
  }

  /**
   * The epoch of a map that clients are served from now on.
   *
   * @throws HoldfastError MAP_NOT_FOUND
   */
  serve(number: bigint): Promise<{ readonly epoch: bigint; readonly entries: number }> {
    return this.#database.transaction(async (tx) => {
      await tx.handleMap.updateMany({ where: { number, epoch: 0n }, data: { epoch: 1n } });
      const row = await tx.handleMap.findUnique({ where: { number } });
      if (row !== null) return row;
      throw new HoldfastError('MAP_NOT_FOUND', `There is no map with the number ${String(number)}.`, {
        map: String(number),
      });
    });
  }

  /** The chunks of one allocator that a field holds, whole: for maps that are served, whose entries are few enough. */
  chunks({
    mapNumber,
    field,
    allocatorNumber,
  }: Pick<ValueRecord, 'mapNumber' | 'field' | 'allocatorNumber'>): Promise<
    Pick<ValueRecord, 'entry' | 'chunk'>[]
  > {
    return this.#database.run((client) =>
      client.mapValue.findMany({
        where: { mapNumber, field, allocatorNumber },
        select: { entry: true, chunk: true },
      }),
    );
  }

  /**
   * Forgets a map whose values were freed. Removing what is absent is OK.
   *
   * @throws HoldfastError MAP_NOT_EMPTY while it holds a handle
   */
  async remove(number: bigint): Promise<void> {
    try {
      await this.#audit.transaction(async (tx, note) => {
        const row = await tx.handleMap.findUnique({ where: { number } });
        if (row === null) return;
        await tx.handleMap.delete({ where: { number } });
        note({ kind: 'map', subject: `maps/${row.name}`, event: 'freed' });
      });
    } catch (error) {
      if (!isReferenceViolation(error)) throw error;
      throw new HoldfastError('MAP_NOT_EMPTY', 'The map holds handles: they are freed before it is.', {
        map: String(number),
      });
    }
  }
}

/** Conditions for what follows a slot, by map, field and entry. */
function behindSlot({ mapNumber, field, entry }: Slot) {
  return [
    { mapNumber: { gt: mapNumber } },
    { mapNumber, field: { gt: field } },
    { mapNumber, field, entry: { gt: entry } },
  ];
}

function toRecord({ fields, ...row }: HandleMap & { readonly fields: readonly MapField[] }): HandleMapRecord {
  return { ...row, fields: fields.map(({ name }) => name) };
}
