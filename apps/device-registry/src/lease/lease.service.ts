import { HoldfastError } from '@holdfast/foundation';
import { reached } from '@holdfast/service';
import type { Cause, LeaseRecord, LeaseRequest, Store } from '@holdfast/store';
import type { SizeWatch } from '../attachment/size-watch.js';
import type { Unrepaired } from '../attachment/unrepaired.js';
import type { LeaseReconciler } from './lease.reconciler.js';
import type { WorkerLink } from '../worker/worker-link.js';

/** What a gateway asks for. */
export interface WantedLease extends Omit<LeaseRequest, 'workerInstance' | 'clientGroup'> {
  /** Absent: nobody's in particular. */
  readonly clientGroup?: string;
}

/** Grants leases, and takes back those that were never used. */
export class LeaseService {
  constructor(
    private readonly store: Store,
    private readonly worker: WorkerLink,
    private readonly reconciler: LeaseReconciler,
    private readonly sizes: SizeWatch,
    private readonly unrepaired: Unrepaired,
  ) {}

  /** A gateway has started: leases of one before it that were never used. @returns how many were released */
  releaseUnused(): Promise<number> {
    return this.reconciler.releaseUnused(0);
  }

  async acquire({ clientGroup = '', ...request }: WantedLease): Promise<LeaseRecord> {
    const cause: Cause = { actor: 'gateway', reason: 'a client came' };
    this.unrepaired.refuse(request.deviceId);
    await this.sizes.look(request.deviceId);
    const lease = await this.store.leases.grant(
      { ...request, clientGroup, workerInstance: this.worker.requireUp() },
      cause,
    );
    await reached('lease.granted');
    return lease;
  }

  /**
   * The holder's word that it has not used the lease, checked against the worker.
   *
   * @throws HoldfastError DEVICE_IN_USE when a session runs under it
   */
  async release(number: bigint): Promise<void> {
    this.worker.requireUp();
    const { liveLeases } = await this.worker.reconcile(0n);
    if (liveLeases.includes(number)) {
      throw new HoldfastError('DEVICE_IN_USE', `a session runs under lease ${String(number)}`, {
        lease: String(number),
      });
    }
    await this.store.leases.release([number], { actor: 'gateway', reason: 'it was not used' });
  }
}
