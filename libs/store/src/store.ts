import { AttachmentRepository } from './attachment/attachment-repository.js';
import { AuditLog } from './audit/audit-log.js';
import { asStoreError } from './database/database-error.js';
import { Database, type Connection } from './database/database.js';
import type { DatabaseLock, LockWatcher } from './database/database-lock.js';
import { parseDatabaseUrl, type DatabaseKind, type DatabaseLocation } from './database/database-url.js';
import { DeviceRepository } from './device/device-repository.js';
import { ExportRepository } from './export/export-repository.js';
import { LeaseRepository } from './lease/lease-repository.js';
import { AllocatorRepository } from './allocator/allocator-repository.js';
import { ChunkRepository } from './allocator/chunk-repository.js';
import { HandleMapRepository } from './handle-map/handle-map-repository.js';
import { ProgramRepository } from './program/program-repository.js';
import { RequestRepository } from './request/request-repository.js';
import { ReservationRepository } from './reservation/reservation-repository.js';
import { VerifierAuditLog } from './verifier-audit/verifier-audit-log.js';

export interface StoreOptions {
  /**
   * `file:/absolute/path.db` (SQLite; its folder must exist, the file is made with mode 0600), or `postgresql://…`
   * (the database must exist).
   */
  readonly url: string;
  /** Told the name of each migration that this call applied. */
  readonly onMigration?: (name: string) => void;
  /**
   * What kind of process we are, `device-registry`: nobody else who says so, of whatever kind, has the database open
   * at the same time. Absent for those who share it.
   */
  readonly exclusiveTo?: string;
}

/** The records of holdfast. What a call answers with is on the disk. */
export interface Store {
  readonly kind: DatabaseKind;
  readonly devices: DeviceRepository;
  readonly attachments: AttachmentRepository;
  readonly leases: LeaseRepository;
  readonly exports: ExportRepository;
  readonly requests: RequestRepository;
  readonly reservations: ReservationRepository;
  readonly allocators: AllocatorRepository;
  readonly chunks: ChunkRepository;
  readonly maps: HandleMapRepository;
  readonly programs: ProgramRepository;
  readonly verifierAudit: VerifierAuditLog;
  readonly audit: AuditLog;
  /** Tells when what {@link StoreOptions.exclusiveTo} promises is lost; every call is refused until it is regained. */
  watchLock(watcher: LockWatcher): void;
  /** Ends after what is under way. */
  close(): Promise<void>;
}

/**
 * Opens the database and brings it up to date with the migrations of `prisma/` at the root of the repository. Only the
 * client and driver of the database in use are loaded. Several services may open one database at the same time, one
 * of them for itself.
 *
 * @throws HoldfastError INVALID_SETTING when the URL cannot be understood or leads nowhere; DATABASE_LOCKED when
 * another has it for itself; MIGRATION_CHANGED when the database was written by another version; DATABASE_UNAVAILABLE
 * when the server does not answer; DATABASE_FAILED when the disk or the file fails
 */
export async function openStore({ url, onMigration, exclusiveTo }: StoreOptions): Promise<Store> {
  const location = parseDatabaseUrl(url);
  // Before anything is changed: the migrations as well are for the one who has it.
  const lock = exclusiveTo === undefined ? undefined : await takeLock(location, exclusiveTo);
  const connection = await connect(location, onMigration ?? (() => undefined)).catch(
    async (error: unknown) => {
      await lock?.close();
      throw asStoreError(error);
    },
  );
  const database = new Database(connection, lock);
  const audit = new AuditLog(database);
  const verifierAudit = new VerifierAuditLog(database);
  return {
    kind: database.kind,
    audit,
    devices: new DeviceRepository(database, audit),
    attachments: new AttachmentRepository(database, audit),
    leases: new LeaseRepository(database, audit),
    exports: new ExportRepository(database),
    requests: new RequestRepository(database),
    reservations: new ReservationRepository(database),
    allocators: new AllocatorRepository(database, verifierAudit),
    chunks: new ChunkRepository(database, verifierAudit),
    maps: new HandleMapRepository(database, verifierAudit),
    programs: new ProgramRepository(database, verifierAudit),
    verifierAudit,
    watchLock: (watcher) => lock?.watch(watcher),
    close: () => database.close(),
  };
}

async function takeLock(location: DatabaseLocation, owner: string): Promise<DatabaseLock> {
  if (location.kind === 'sqlite') {
    const { takeSqliteLock } = await import('./database/sqlite-lock.js');
    return takeSqliteLock(location.path, owner);
  }
  const { PostgresqlLock } = await import('./database/postgresql-lock.js');
  return PostgresqlLock.take(location.url, owner);
}

async function connect(location: DatabaseLocation, onMigration: (name: string) => void): Promise<Connection> {
  if (location.kind === 'sqlite') {
    const { openSqlite } = await import('./database/open-sqlite.js');
    return openSqlite(location.path, onMigration);
  }
  const { openPostgresql } = await import('./database/open-postgresql.js');
  return openPostgresql(location.url, onMigration);
}
