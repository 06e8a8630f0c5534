import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';
import { isReferenceViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import { deviceNotFound } from '../device/device-errors.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import type { ExportDefinition, ExportRateLimit, ExportRecord } from './export-record.js';
import { toExportRecord, toExportRow } from './export-row.js';

/** The published exports. */
export class ExportRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Publishes a device. Repeated with the same definition, it answers with the export that exists.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; EXPORT_EXISTS when the id has another definition
   */
  async create(definition: ExportDefinition): Promise<ExportRecord> {
    const data = toExportRow(definition);
    const { id, deviceId } = data;
    try {
      const { record } = await insertOnce<ExportRecord>(
        async () => toExportRecord(await this.#database.run((client) => client.export.create({ data }))),
        () => this.find(id),
      );
      if (isDeepStrictEqual(toExportRow(record), data)) return record;
    } catch (error) {
      throw isReferenceViolation(error) ? deviceNotFound(deviceId) : error;
    }
    throw new HoldfastError('EXPORT_EXISTS', `The export ${id} exists with another definition.`, {
      export: id,
    });
  }

  /** @throws HoldfastError EXPORT_NOT_FOUND */
  async get(id: string): Promise<ExportRecord> {
    const record = await this.find(id);
    if (record !== undefined) return record;
    throw new HoldfastError('EXPORT_NOT_FOUND', `There is no export ${id}.`, { export: id });
  }

  /**
   * Changes what is given of the rate limit, and raises its revision.
   *
   * @throws HoldfastError EXPORT_NOT_FOUND
   */
  async changeRateLimit(id: string, change: Partial<ExportRateLimit>): Promise<ExportRecord> {
    const data = { ...change, rateRevision: { increment: 1 } };
    await this.#database.run((client) => client.export.updateMany({ where: { id }, data }));
    return this.get(id);
  }

  async find(id: string): Promise<ExportRecord | undefined> {
    const row = await this.#database.run((client) => client.export.findUnique({ where: { id } }));
    return row === null ? undefined : toExportRecord(row);
  }

  /** By id, in the order of its UTF-8 bytes. */
  async list({ pageSize, after }: PageRequest<string>): Promise<Page<ExportRecord, string>> {
    const rows = await this.#database.run((client) =>
      client.export.findMany({
        ...(after !== undefined && { where: { id: { gt: after } } }),
        orderBy: { id: 'asc' },
        take: rowsToTake(pageSize),
      }),
    );
    return toPage(rows.map(toExportRecord), pageSize, ({ id }) => id);
  }

  /** Withdraws an export. Removing what is absent is OK. */
  async remove(id: string): Promise<void> {
    await this.#database.run((client) => client.export.deleteMany({ where: { id } }));
  }
}
