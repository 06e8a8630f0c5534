import { assert } from '@holdfast/foundation';
import type { Transaction } from '../database/client.js';
import type { Database } from '../database/database.js';
import type { VerifierAudit } from '../generated/sqlite/client.js';
import {
  verifierSubjects,
  type VerifierAuditEntry,
  type VerifierAuditRecord,
} from './verifier-audit-record.js';

/** Notes a change within the transaction that makes it. */
export type VerifierNote = (entry: VerifierAuditEntry) => void;

/** What the allocator-verifier changed, whole and in order: enough to replay. */
export class VerifierAuditLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A transaction of which each change is noted. The records are written last, so that their numbers rise in the order of the commits. */
  async transaction<Result>(work: (tx: Transaction, note: VerifierNote) => Promise<Result>): Promise<Result> {
    return this.#database.transaction(async (tx) => {
      const entries: VerifierAuditEntry[] = [];
      const answer = await work(tx, (entry) => entries.push(entry));
      if (entries.length === 0) return answer;
      await this.#database.orderAudit(tx);
      const time = new Date();
      await tx.verifierAudit.createMany({
        data: entries.map(({ detail = {}, ...entry }) => ({
          ...entry,
          time,
          detail: JSON.stringify(detail),
        })),
      });
      return answer;
    });
  }

  /** The records that follow a number, oldest first. */
  async listAfter(number: bigint, limit: number): Promise<VerifierAuditRecord[]> {
    const rows = await this.#database.run((client) =>
      client.verifierAudit.findMany({
        where: { number: { gt: number } },
        orderBy: { number: 'asc' },
        take: limit,
      }),
    );
    return rows.map(toRecord);
  }
}

function toRecord(row: VerifierAudit): VerifierAuditRecord {
  const kind = verifierSubjects.find((one) => one === row.kind);
  assert(kind !== undefined, `the audit record ${String(row.number)} is of the unknown kind ${row.kind}`);
  return { ...row, kind, detail: JSON.parse(row.detail) as VerifierAuditRecord['detail'] };
}
