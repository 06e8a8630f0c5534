import { messageOf } from '@holdfast/foundation';
import { releasable } from '@holdfast/lease';
import type { workerV1 } from '@holdfast/contracts';
import type { Logger } from '@holdfast/service';
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
      void this.#releaseUnused();
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
      await this.#store.leases.release(ended, { actor: 'worker', reason: 'its session has ended' });
    } catch (error) {
      this.#logger.error(
        { err: error },
        `leases of ended sessions stay until the next attempt: ${messageOf(error)}`,
      );
      this.#ended.push(...ended);
      this.#flushAfter(RETRY_MS);
    }
  }

  /** Compares all leases with the worker's sessions; while this runs no lease is granted. */
  async settle(): Promise<workerV1.ReconcileResponse> {
    const leases = await this.#store.leases.listAll();
    const voidedUpTo = leases.at(-1)?.number ?? 0n;
    const report = await this.#worker.reconcile(voidedUpTo);
    await this.#release(leases, report, voidedUpTo);
    return report;
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

  async #releaseUnused(): Promise<void> {
    if (this.#worker.state.kind !== 'up') return;
    try {
      const before = Date.now() - UNUSED_AFTER_MS;
      const old = (await this.#store.leases.listAll()).filter((lease) => lease.createTime.getTime() < before);
      const voidedUpTo = old.at(-1)?.number;
      if (voidedUpTo === undefined) return;
      await this.#release(old, await this.#worker.reconcile(voidedUpTo), voidedUpTo);
    } catch (error) {
      this.#logger.warn(`looking for unused leases failed: ${messageOf(error)}`);
    }
  }

  async #release(
    leases: readonly { number: bigint; workerInstance: string }[],
    report: workerV1.ReconcileResponse,
    voidedUpTo: bigint,
  ): Promise<void> {
    const free = releasable(leases, {
      workerInstance: report.workerInstance,
      liveLeases: new Set(report.liveLeases),
      voidedUpTo,
    }).map(({ number }) => number);
    if (free.length === 0) return;
    await this.#store.leases.release(free, { actor: 'registry', reason: 'no session can use it any more' });
    this.#logger.info({ leases: free.length }, 'released leases without a session');
  }
}
