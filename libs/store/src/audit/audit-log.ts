import type { Audit } from '../generated/sqlite/client.js';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import { actors, type AuditEntry, type AuditRecord, type Cause } from './audit-record.js';

/** Records kept; older ones go. At 100 changes a minute this is most of a day, in about 20 MB. */
export const AUDIT_RECORDS_KEPT = 100_000;

/** Records between two looks for old ones. */
const PRUNE_EVERY = 1000;

/** Notes a change within the transaction that makes it. */
export type Note = (entry: AuditEntry) => void;

/** What changed, when, by whom and why: every transition writes its record in its own transaction. */
export class AuditLog {
  readonly #database: Database;
  readonly #listeners = new Set<() => void>();
  #sincePruned = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * A transaction of which each change is noted. The records are written last, so that their numbers rise in the order
   * of the commits and whoever follows them misses none.
   */
  async transaction<Result>(
    { actor, reason, requestId }: Cause,
    work: (tx: Transaction, note: Note) => Promise<Result>,
  ): Promise<Result> {
    let count = 0;
    const result = await this.#database.transaction(async (tx) => {
      const entries: AuditEntry[] = [];
      const answer = await work(tx, (entry) => entries.push(entry));
      count = entries.length;
      const latest = entries.at(-1);
      if (latest === undefined) return answer;
      if (requestId !== undefined) await noteEffect(tx, requestId, latest);
      await this.#database.orderAudit(tx);
      const time = new Date();
      await tx.audit.createMany({
        data: entries.map((entry) => ({ ...columns(entry), actor, reason, time })),
      });
      return answer;
    });
    if (count > 0) await this.#written(count);
    return result;
  }

  /** The records that follow a number, oldest first. */
  async listAfter(number: bigint, limit: number): Promise<AuditRecord[]> {
    const rows = await this.#database.run((client) =>
      client.audit.findMany({ where: { number: { gt: number } }, orderBy: { number: 'asc' }, take: limit }),
    );
    return rows.map(toAuditRecord);
  }

  /** The numbers of the oldest and the newest record; undefined when there is none. */
  async range(): Promise<{ readonly oldest: bigint; readonly newest: bigint } | undefined> {
    const { _min, _max } = await this.#database.run((client) =>
      client.audit.aggregate({ _min: { number: true }, _max: { number: true } }),
    );
    if (_min.number === null || _max.number === null) return undefined;
    return { oldest: _min.number, newest: _max.number };
  }

  /** Calls back after records were committed by this process. @returns ends that */
  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #written(count: number): Promise<void> {
    for (const listener of this.#listeners) listener();
    this.#sincePruned += count;
    if (this.#sincePruned < PRUNE_EVERY) return;
    this.#sincePruned = 0;
    // What was written is committed: a database that is full or away now must not make it look undone.
    await this.#prune().catch(() => undefined);
  }

  async #prune(): Promise<void> {
    const { newest } = (await this.range()) ?? { newest: 0n };
    const where = { number: { lte: newest - BigInt(AUDIT_RECORDS_KEPT) } };
    await this.#database.run((client) => client.audit.deleteMany({ where }));
  }
}

/** Of a request that may be repeated: what a crash must not make it do twice. */
async function noteEffect(tx: Transaction, id: string, { to, attachmentId }: AuditEntry): Promise<void> {
  await tx.request.updateMany({ where: { id }, data: { effect: to, attachmentId: attachmentId ?? null } });
}

function columns({ deviceId, attachmentId, lease, from, to }: AuditEntry) {
  return { deviceId, attachmentId: attachmentId ?? null, lease: lease ?? null, from, to };
}

function toAuditRecord(row: Audit): AuditRecord {
  const { number, time, deviceId, attachmentId, lease, from, to, reason } = row;
  const actor = actors.find((one) => one === row.actor) ?? 'registry';
  return {
    number,
    time,
    deviceId,
    ...(attachmentId !== null && { attachmentId }),
    ...(lease !== null && { lease }),
    from,
    to,
    actor,
    reason,
  };
}
