import { ServiceHealth, type Lifecycle } from '@holdfast/service';
import { Inject, Injectable } from '@nestjs/common';
import { AllocatorReconciler } from './allocator/allocator.reconciler.js';
import { Lifetimes } from './lifetimes/lifetimes.js';
import { MapFence } from './fence/map-fence.js';
import { WorkerLink } from './fence/worker-link.js';
import { RegistryLink } from './registry/registry-link.js';
import { STORE, type StoreToken } from './store.provider.js';

/** What happens when the allocator-verifier starts and when it stops. */
@Injectable()
export class VerifierLifecycle implements Lifecycle {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly health: ServiceHealth,
    private readonly registry: RegistryLink,
    private readonly reconciler: AllocatorReconciler,
    private readonly lifetimes: Lifetimes,
    private readonly fence: MapFence,
    private readonly worker: WorkerLink,
  ) {}

  /** Ready as soon as the records are in memory: the registry may come later, and only creating and destroying needs it. */
  async start(): Promise<void> {
    await this.lifetimes.load();
    void this.reconciler.look();
    this.fence.start();
    this.health.ready();
  }

  async drain(): Promise<void> {
    await this.reconciler.stop();
    await this.fence.stop();
  }

  /** Allocators outlive the service: their devices stay reserved. */
  async release(): Promise<void> {
    this.registry.close();
    this.worker.close();
    await this.store.close();
  }
}
