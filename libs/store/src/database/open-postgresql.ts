import { applyMigrations } from '../migration/apply-migrations.js';
import { readMigrations } from '../migration/migration-files.js';
import { PostgresqlMigrationSession } from '../migration/postgresql-migration-session.js';
import { transactionOptions, type Client } from './client.js';
import type { Connection, HeldAttachment } from './database.js';

/** Milliseconds until a server that does not answer counts as absent. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Connections of one process; transactions are short, so more would only wait for the server's disk together. */
const CONNECTIONS_MAX = 10;

/**
 * Settings that promises stand on, whatever the server's own defaults are: a commit is on the disk before it is
 * answered (Law 2), and a statement that waited for a row sees what the row has become. `options` in the URL wins.
 */
const SERVER_OPTIONS = '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed';

/** The key of the advisory lock: "audi" in ASCII. */
const AUDIT_LOCK = 0x6175_6469;

/** Opens the database at `url`, which must exist, and brings it up to date. */
export async function openPostgresql(url: string, onMigration: (name: string) => void): Promise<Connection> {
  const [{ PrismaClient }, { PrismaPg }, { default: pg }, migrations] = await Promise.all([
    import('../generated/postgresql/client.js'),
    import('@prisma/adapter-pg'),
    import('pg'),
    readMigrations('postgresql'),
  ]);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'holdfast',
    options: SERVER_OPTIONS,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // An idle connection that the server ends is replaced by the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  try {
    const migrating = await pool.connect();
    try {
      await applyMigrations(new PostgresqlMigrationSession(migrating), migrations, onMigration);
    } finally {
      migrating.release();
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
  const adapter = new PrismaPg(pool, { disposeExternalPool: true });
  // The one cast between the generated clients. Both come from models.prisma; they differ in filters and options that
  // only PostgreSQL has, which code written against the SQLite client cannot ask for.
  const client = new PrismaClient({ adapter, transactionOptions }) as unknown as Client;
  await client.$connect();
  return {
    kind: 'postgresql',
    client,
    holdAttachment: async (tx, deviceId) => {
      const rows = await tx.$queryRaw<HeldAttachment[]>`
        SELECT a."id", a."state", a."epoch", a."currentSizeBytes", d."readOnly"
        FROM "Attachment" a JOIN "Device" d ON d."id" = a."deviceId"
        WHERE a."deviceId" = ${deviceId}
        FOR NO KEY UPDATE OF a`;
      return rows[0];
    },
    orderAudit: async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${AUDIT_LOCK})`;
    },
    close: () => client.$disconnect(),
  };
}
