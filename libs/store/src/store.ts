import { AttachmentRepository } from './attachment/attachment-repository.js';
import { asStoreError } from './database/database-error.js';
import { Database, type Connection } from './database/database.js';
import { parseDatabaseUrl, type DatabaseKind } from './database/database-url.js';
import { DeviceRepository } from './device/device-repository.js';
import { ExportRepository } from './export/export-repository.js';
import { LeaseRepository } from './lease/lease-repository.js';

export interface StoreOptions {
  /**
   * `file:/absolute/path.db` (SQLite; its folder must exist, the file is made with mode 0600), or `postgresql://…`
   * (the database must exist).
   */
  readonly url: string;
  /** Told the name of each migration that this call applied. */
  readonly onMigration?: (name: string) => void;
}

/** The records of holdfast. What a call answers with is on the disk. */
export interface Store {
  readonly kind: DatabaseKind;
  readonly devices: DeviceRepository;
  readonly attachments: AttachmentRepository;
  readonly leases: LeaseRepository;
  readonly exports: ExportRepository;
  /** Ends after what is under way. */
  close(): Promise<void>;
}

/**
 * Opens the database and brings it up to date with the migrations of `prisma/` at the root of the repository. Only the
 * client and driver of the database in use are loaded. Several services may open one database at the same time.
 *
 * @throws HoldfastError INVALID_SETTING when the URL cannot be understood or leads nowhere; MIGRATION_CHANGED when the
 * database was written by another version; DATABASE_UNAVAILABLE when the server does not answer; DATABASE_FAILED
 * when the disk or the file fails
 */
export async function openStore({ url, onMigration }: StoreOptions): Promise<Store> {
  const database = new Database(await connect(url, onMigration ?? (() => undefined)));
  return {
    kind: database.kind,
    devices: new DeviceRepository(database),
    attachments: new AttachmentRepository(database),
    leases: new LeaseRepository(database),
    exports: new ExportRepository(database),
    close: () => database.close(),
  };
}

async function connect(url: string, onMigration: (name: string) => void): Promise<Connection> {
  const location = parseDatabaseUrl(url);
  try {
    if (location.kind === 'sqlite') {
      const { openSqlite } = await import('./database/open-sqlite.js');
      return await openSqlite(location.path, onMigration);
    }
    const { openPostgresql } = await import('./database/open-postgresql.js');
    return await openPostgresql(location.url, onMigration);
  } catch (error) {
    throw asStoreError(error);
  }
}
