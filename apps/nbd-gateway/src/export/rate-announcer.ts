import { createClient, exportName, toDuration, workerV1, type ServiceClient } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import type { ExportRecord, Store } from '@holdfast/store';

/**
 * Tells the worker of rate limits that have changed, for the sessions that it serves. The record comes first, and new
 * sessions come with what it says; so what the worker was not told, it is told when it is found again.
 */
export class RateAnnouncer {
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;

  constructor(
    private readonly store: Store,
    workerAddress: string,
    private readonly logger: Logger,
  ) {
    this.#sessions = createClient(workerV1.SessionServiceService, workerAddress);
  }

  /** Tells of the limits of these. A worker that cannot be told is no failure: it is dead, or found again. */
  async announce(records: readonly ExportRecord[]): Promise<void> {
    for (const record of records) {
      try {
        await this.#sessions.setRateLimit({ rateLimit: rateMessage(record) });
      } catch (error) {
        this.logger.warn(
          { export: record.id },
          `the worker was not told of a rate limit: ${messageOf(error)}`,
        );
      }
    }
  }

  /** The worker was found with sessions on these exports, by name: it may have missed a change. */
  async announceTo(exportNames: ReadonlySet<string>): Promise<void> {
    try {
      const ids = [...exportNames].map((name) => exportName.parse(name));
      const found = await Promise.all(ids.map((id) => this.store.exports.find(id)));
      await this.announce(found.filter((record) => record !== undefined));
    } catch (error) {
      this.logger.warn(`the worker was not told of rate limits: ${messageOf(error)}`);
    }
  }

  /** A session was opened by this record, which may have changed before the worker knew of the session. Never throws. */
  async catchUp({ id, rateRevision }: ExportRecord): Promise<void> {
    try {
      const now = await this.store.exports.find(id);
      if (now !== undefined && now.rateRevision !== rateRevision) await this.announce([now]);
    } catch (error) {
      this.logger.warn({ export: id }, `whether a rate limit has changed is not known: ${messageOf(error)}`);
    }
  }

  close(): void {
    this.#sessions.close();
  }
}

/** The limit of an export as the worker takes it. One that is published anew under the same name is another account. */
export function rateMessage(record: ExportRecord): workerV1.RateLimit {
  const { id, createTime, rateRevision, rateLimit } = record;
  return {
    account: `${exportName.format(id)}@${String(createTime.getTime())}`,
    revision: BigInt(rateRevision),
    iops: rateLimit.iops,
    bytesPerSecond: rateLimit.bytesPerSecond,
    burst: toDuration(rateLimit.burstMs),
  };
}
