/** The facts about a lease that decide whether it may be released. */
export interface LeaseFacts {
  /** Rises with every lease granted. */
  readonly number: bigint;
  /** The worker process that the lease is valid at. */
  readonly workerInstance: string;
}

/**
 * What a worker process said of itself, in one answer: its instance, the numbers of the leases whose sessions live,
 * and the number up to which it refuses every other lease from now on.
 */
export interface WorkerReport {
  readonly workerInstance: string;
  readonly liveLeases: Iterable<bigint>;
  /** 0n when nothing was voided. */
  readonly voidedUpTo: bigint;
}

/**
 * The leases that nobody can use any more, in the order given. `report` must come from the one worker process that is
 * alive: a lease of another instance belongs to a process that is proven gone, and a lease that this worker has
 * voided is refused by it if it still comes. A lease with a live session is never among them.
 */
export function releasable<Lease extends LeaseFacts>(
  leases: readonly Lease[],
  report: WorkerReport,
): Lease[] {
  const live = new Set(report.liveLeases);
  return leases.filter(
    (lease) =>
      lease.workerInstance !== report.workerInstance ||
      (lease.number <= report.voidedUpTo && !live.has(lease.number)),
  );
}
