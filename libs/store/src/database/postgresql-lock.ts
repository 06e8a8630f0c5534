import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/foundation';
import pg from 'pg';
import { asStoreError } from './database-error.js';
import { databaseLocked, type DatabaseLock, type LockWatcher } from './database-lock.js';

/** The key of the advisory lock: "hold" in ASCII. Other programs' locks in the same database have other keys. */
const LOCK_KEY = 0x686f_6c64;

/** How long a registry waits for the lock at its start: the server may not have noticed the end of its predecessor. */
const PREDECESSOR_WAIT_MS = 2_000;
const PREDECESSOR_POLL_MS = 20;

/** Between two attempts to get back a lock that was lost. */
const REGAIN_PAUSE_MS = 1_000;

/** Milliseconds until a server that does not answer counts as absent. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Silence after which each side asks whether the other is still there; both give up in well under a minute. */
const SILENCE_MS = 10_000;

/** Who we are in pg_stat_activity; an idle session that the server does not end, and one without a client that it does. */
const CONFIGURE = `
  SELECT set_config(name, value, false)
  FROM (VALUES
    ('application_name', $1::text),
    ('idle_session_timeout', '0'),
    ('tcp_keepalives_idle', $2::text),
    ('tcp_keepalives_interval', '5'),
    ('tcp_keepalives_count', '3')
  ) AS wanted (name, value) JOIN pg_settings USING (name)`;

/** A lock of one bigint key is listed by its halves (pg_locks). */
const HOLDER = `
  SELECT current_database() AS database, activity.application_name AS name, activity.backend_start AS since
  FROM pg_locks AS lock
  JOIN pg_database ON pg_database.oid = lock.database AND pg_database.datname = current_database()
  LEFT JOIN pg_stat_activity AS activity USING (pid)
  WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted`;

type State =
  | { readonly kind: 'held'; readonly client: pg.Client }
  | { readonly kind: 'lost'; readonly error: HoldfastError }
  | { readonly kind: 'closed' };

/**
 * An advisory lock of the session that this connection, and nothing else, uses: the server gives it up when the
 * connection ends. Lost with it, it is taken again as soon as that is possible.
 */
export class PostgresqlLock implements DatabaseLock {
  readonly #url: string;
  readonly #owner: string;
  readonly #watchers: LockWatcher[] = [];
  #state: State = { kind: 'closed' };

  private constructor(url: string, owner: string) {
    this.#url = url;
    this.#owner = owner;
  }

  /** @throws HoldfastError DATABASE_LOCKED naming the holder, or what is wrong with the database */
  static async take(url: string, owner: string): Promise<PostgresqlLock> {
    const lock = new PostgresqlLock(url, owner);
    lock.#hold(await connectAndLock(url, owner, PREDECESSOR_WAIT_MS));
    return lock;
  }

  requireHeld(): void {
    if (this.#state.kind === 'lost') throw this.#state.error;
  }

  watch(watcher: LockWatcher): void {
    this.#watchers.push(watcher);
  }

  async close(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: 'closed' };
    if (before.kind === 'held') await before.client.end();
  }

  #hold(client: pg.Client): void {
    // The first tells why; that the connection is gone comes after it.
    let reason: string | undefined;
    client.on('error', (error) => {
      reason ??= error.message;
    });
    client.once('end', () => {
      if (this.#state.kind === 'held') this.#lose(reason ?? 'the connection was closed');
    });
    this.#state = { kind: 'held', client };
  }

  #lose(reason: string): void {
    const message = `The lock on the database was lost (${reason}); no new work is taken until it is back.`;
    this.#state = { kind: 'lost', error: new HoldfastError('DATABASE_UNAVAILABLE', message) };
    for (const watcher of this.#watchers) watcher.lost(reason);
    void this.#regain();
  }

  async #regain(): Promise<void> {
    while (this.#state.kind === 'lost') {
      await delay(REGAIN_PAUSE_MS, undefined, { ref: false });
      try {
        const client = await connectAndLock(this.#url, this.#owner, 0);
        if (this.#isLost()) {
          this.#hold(client);
          for (const watcher of this.#watchers) watcher.regained();
        } else await client.end();
      } catch (error) {
        // Who has it now is worth more to a caller than how it was lost.
        const taken = error instanceof HoldfastError && error.code === 'DATABASE_LOCKED';
        if (taken && this.#isLost()) this.#state = { kind: 'lost', error };
      }
    }
  }

  #isLost(): boolean {
    return this.#state.kind === 'lost';
  }
}

async function connectAndLock(url: string, owner: string, patienceMs: number): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: SILENCE_MS,
  });
  // A connection that breaks fails the call that waits for it as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const name = `holdfast ${owner} (pid ${String(process.pid)} on ${hostname()})`;
    await client.query(CONFIGURE, [name, String(SILENCE_MS / 1000)]);
    await lock(client, owner, patienceMs);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw asStoreError(error);
  }
}

async function lock(client: pg.Client, owner: string, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      LOCK_KEY,
    ]);
    if (rows[0]?.taken === true) return;
    if (performance.now() >= deadline) throw await lockedBy(client, owner);
    await delay(PREDECESSOR_POLL_MS);
  }
}

async function lockedBy(client: pg.Client, owner: string): Promise<HoldfastError> {
  const { rows } = await client.query<{ database: string; name: string | null; since: Date | null }>(HOLDER, [
    LOCK_KEY,
  ]);
  const holder = rows[0];
  const name = holder?.name ?? '';
  const since = holder?.since?.toISOString();
  const who = name === '' ? '' : `: ${name}${since === undefined ? '' : `, since ${since}`}`;
  return databaseLocked(holder?.database ?? client.database ?? '', owner, who);
}
