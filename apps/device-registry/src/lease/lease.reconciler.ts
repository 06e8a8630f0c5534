import { messageOf } from '@holdfast/foundation';
import { releasable } from '@holdfast/lease';
import type { workerV1 } from '@holdfast/contracts';
import { reached, type Logger } from '@holdfast/service';
import type { Store } from '@holdfast/store';
import type { WorkerLink } from '../worker/worker-link.js';

/** Sessions that end together are released in one transaction. */
const GATHER_MS = 5;

/** After a release that the database refused. */
const RETRY_MS = 1_000;

/** A lease this old without a session is one whose gateway died before it prepared one. */
const UNUSED_AFTER_MS = 30_000;

/**
 * Releases leases on proof: the worker says that the session has ended, or that it has none and will accept none, or
 * the worker process itself is another one.
 */
export class LeaseReconciler {
  readonly #store: Store;
  readonly #worker: WorkerLink;
  readonly #logger: Logger;
  readonly #sweep: NodeJS.Timeout;
  #ended: bigint[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(store: Store, worker: WorkerLink, logger: Logger) {
    this.#store = store;
    this.#worker = worker;
    this.#logger = logger;
    this.#sweep = setInterval(() => {
      void this.#sweepUnused();
    }, UNUSED_AFTER_MS);
    this.#sweep.unref();
  }

  sessionEnded(lease: bigint): void {
    this.#ended.push(lease);
    this.#flushAfter(GATHER_MS);
  }

  /** Releases what has ended so far. */
  async flush(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const ended = this.#ended;
    this.#ended = [];
    if (ended.length === 0) return;
    try {
      await reached('release.heard');
      await this.#store.leases.release(ended, { actor: 'worker', reason: 'its session has ended' });
      await reached('release.recorded');
    } catch (error) {
      this.#logger.error(
        { err: error },
        `leases of ended sessions stay until the next attempt: ${messageOf(error)}`,
      );
      this.#ended.push(...ended);
      this.#flushAfter(RETRY_MS);
    }
  }

  /**
   * Compares all leases with the worker's sessions; while this runs no lease is granted.
   *
   * @param voidUnclaimed no handover is under way: what the worker was sent before, and did not adopt, it closes
   */
  async settle(voidUnclaimed: boolean): Promise<workerV1.ReconcileResponse> {
    const leases = await this.#store.leases.listAll();
    const voidedUpTo = leases.at(-1)?.number ?? 0n;
    const report = await this.#worker.reconcile(voidedUpTo, voidUnclaimed);
    await this.#release(leases, report, voidedUpTo);
    return report;
  }

  /**
   * Releases leases under which the worker has no session, and will accept none.
   *
   * @param ageMs younger ones are left alone
   * @returns how many; none while there is no worker to ask
   */
  async releaseUnused(ageMs: number): Promise<number> {
    if (this.#worker.state.kind !== 'up') return 0;
    const before = Date.now() - ageMs;
    const old = (await this.#store.leases.listAll()).filter((lease) => lease.createTime.getTime() <= before);
    const voidedUpTo = old.at(-1)?.number;
    if (voidedUpTo === undefined) return 0;
    return this.#release(old, await this.#worker.reconcile(voidedUpTo), voidedUpTo);
  }

  /** At the end of the process, once the worker is proven gone: no session can live. */
  async releaseAll(): Promise<void> {
    const leases = await this.#store.leases.listAll();
    const numbers = leases.map(({ number }) => number);
    await this.#store.leases.release(numbers, { actor: 'registry', reason: 'the worker has stopped' });
  }

  /** From now on only `flush` releases what has ended. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#gathering);
  }

  #flushAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#gathering ??= setTimeout(() => {
      void this.flush();
    }, delayMs);
  }

  async #sweepUnused(): Promise<void> {
    try {
      await this.releaseUnused(UNUSED_AFTER_MS);
    } catch (error) {
      this.#logger.warn(`looking for unused leases failed: ${messageOf(error)}`);
    }
  }

  async #release(
    leases: readonly { number: bigint; workerInstance: string }[],
    report: workerV1.ReconcileResponse,
    voidedUpTo: bigint,
  ): Promise<number> {
    const free = releasable(leases, {
      workerInstance: report.workerInstance,
      liveLeases: new Set(report.liveLeases),
      voidedUpTo,
    }).map(({ number }) => number);
    if (free.length === 0) return 0;
    await this.#store.leases.release(free, { actor: 'registry', reason: 'no session can use it any more' });
    this.#logger.info({ leases: free.length }, 'released leases without a session');
    return free.length;
  }
}
