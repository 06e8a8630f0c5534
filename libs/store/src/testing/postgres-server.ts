import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** Where Debian keeps the programs of each major version. */
const INSTALLATIONS = '/usr/lib/postgresql';

/** The account that Debian makes for the server, which refuses to run as root. */
const ACCOUNT = 'postgres';

/** Milliseconds until a server that was started must accept a connection. */
const START_MS_MAX = 15_000;

/** A real PostgreSQL server of one test file: a cluster in a temporary folder, reached by a Unix socket there. */
export interface PostgresServer {
  /** Makes an empty database and answers with its URL. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** The programs of the newest PostgreSQL on this machine; absent when none is installed. */
export function findPostgres(): string | undefined {
  if (!existsSync(INSTALLATIONS)) return undefined;
  const versions = readdirSync(INSTALLATIONS).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => `${INSTALLATIONS}/${version}/bin`)
    .find((bin) => existsSync(`${bin}/initdb`));
}

/** Runs a program of the server as somebody it accepts; `--pdeathsig` ends it with us, however we end. */
function asServerAccount(program: string, args: string[]): [string, string[]] {
  const account =
    process.getuid?.() === 0 ? [`--reuid=${ACCOUNT}`, `--regid=${ACCOUNT}`, '--clear-groups'] : [];
  return ['setpriv', [...account, '--pdeathsig=QUIT', program, ...args]];
}

async function accountIds(): Promise<[number, number]> {
  const ids = await Promise.all(['-u', '-g'].map((which) => run('id', [which, ACCOUNT])));
  return [Number(ids[0]?.stdout), Number(ids[1]?.stdout)];
}

/**
 * Starts a server with its default durability (fsync on). Its databases sort by a language's rules, not by bytes, so
 * that a test notices what depends on the order.
 */
export async function startPostgres(bin: string): Promise<PostgresServer> {
  const folder = mkdtempSync('/tmp/holdfast-postgres-');
  if (process.getuid?.() === 0) chownSync(folder, ...(await accountIds()));
  const data = `${folder}/data`;
  await run(
    ...asServerAccount(`${bin}/initdb`, [
      ...['-D', data, '-U', ACCOUNT, '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
      ...['--locale-provider=icu', '--icu-locale=en'],
    ]),
  );
  const server = spawn(
    ...asServerAccount(`${bin}/postgres`, ['-D', data, '-k', folder, '-c', 'listen_addresses=']),
    { stdio: 'ignore' },
  );
  const urlOf = (database: string) => `postgresql://${ACCOUNT}@localhost/${database}?host=${folder}`;
  const admin = await connectWhenReady(urlOf('postgres'), server);
  let databases = 0;
  return {
    async createDatabase() {
      databases += 1;
      await admin.query(`CREATE DATABASE test_${String(databases)}`);
      return urlOf(`test_${String(databases)}`);
    },
    async stop() {
      await admin.end();
      const ended = once(server, 'exit');
      // The server's word for: end all connections, then yourself.
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function connectWhenReady(url: string, server: ChildProcess): Promise<pg.Client> {
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    // Stopping the server ends this connection too.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (server.exitCode !== null || performance.now() > deadline) throw error;
    }
    await sleep(20);
  }
}
