import { stateLayout } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import {
  HandoffInbox,
  LOGGER,
  SETTINGS,
  somebodyListens,
  type Lifecycle,
  type Logger,
} from '@holdfast/service';
import { Inject, Injectable } from '@nestjs/common';
import { AttachmentReconciler } from './attachment/attachment.reconciler.js';
import { AttachmentService } from './attachment/attachment.service.js';
import { Drain } from './attachment/drain.js';
import { WantedDevices } from './attachment/wanted-devices.js';
import { Holds } from './attachment/holds.js';
import { SizeWatch } from './attachment/size-watch.js';
import { Unrepaired } from './attachment/unrepaired.js';
import { LeaseReconciler } from './lease/lease.reconciler.js';
import type { RegistrySettings } from './settings.js';
import { STORE, type StoreToken } from './store.provider.js';
import { WorkerLink } from './worker/worker-link.js';

/** What happens when the registry starts and when it stops. */
@Injectable()
export class RegistryLifecycle implements Lifecycle {
  constructor(
    @Inject(SETTINGS) private readonly settings: RegistrySettings,
    @Inject(STORE) private readonly store: StoreToken,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly inbox: HandoffInbox,
    private readonly worker: WorkerLink,
    private readonly holds: Holds,
    private readonly leases: LeaseReconciler,
    private readonly attachments: AttachmentService,
    private readonly reconciler: AttachmentReconciler,
    private readonly wanted: WantedDevices,
    private readonly sizes: SizeWatch,
    private readonly drains: Drain,
    private readonly unrepaired: Unrepaired,
  ) {}

  async start(): Promise<void> {
    this.store.watchLock({
      lost: (reason) => {
        this.logger.error(
          `the lock on the database is lost, no new work is taken until it is back: ${reason}`,
        );
      },
      regained: () => {
        this.logger.info('has its lock on the database back');
        this.worker.compareAnew(this.reconciler);
      },
    });
    await this.reconciler.loseOfOtherBoots();
    await this.inbox.listen(stateLayout(this.settings.stateFolder).registryHandoff);
    this.worker.follow(this.reconciler);
    this.sizes.start();
  }

  /**
   * A registry that stops alone leaves everything as it is: the worker holds the devices and hands them back. When
   * the worker is gone too, nothing uses them, and they are released.
   */
  async drain(): Promise<void> {
    this.sizes.stop();
    await this.drains.giveUpAll();
    this.worker.stop();
    this.wanted.stop();
    this.unrepaired.stop();
    this.leases.stop();
    await this.leases.flush();
    if (await this.#workerIsGone()) await this.#releaseEverything();
  }

  async release(): Promise<void> {
    await this.inbox.close();
    this.holds.letGoOfAll();
    await this.store.close();
  }

  /** A connect to its socket that the kernel refuses is proof (law 1). */
  async #workerIsGone(): Promise<boolean> {
    try {
      return !(await somebodyListens(stateLayout(this.settings.stateFolder).workerSocket));
    } catch {
      return false;
    }
  }

  async #releaseEverything(): Promise<void> {
    await this.leases.releaseAll();
    for (const { deviceId, state } of await this.store.attachments.listLive()) {
      if (state !== 'CONNECTED') continue;
      await this.attachments.releaseWithoutWorker(deviceId).catch((error: unknown) => {
        this.logger.warn({ device: deviceId }, `not released, the next start will: ${messageOf(error)}`);
      });
    }
  }
}
