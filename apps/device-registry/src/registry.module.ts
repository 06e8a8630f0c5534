import { stateLayout } from '@holdfast/contracts';
import { databaseUrl, HandoffInbox, LOGGER, ServiceHealth, SETTINGS, type Logger } from '@holdfast/service';
import { openStore, type Store } from '@holdfast/store';
import { Module, type FactoryProvider } from '@nestjs/common';
import { AttachmentReconciler } from './attachment/attachment.reconciler.js';
import { AttachmentService } from './attachment/attachment.service.js';
import { DeviceOperations } from './attachment/device-operations.js';
import { Drain } from './attachment/drain.js';
import { ReleaseExplainer } from './attachment/explain.js';
import { WantedDevices } from './attachment/wanted-devices.js';
import { Holds } from './attachment/holds.js';
import { SizeWatch } from './attachment/size-watch.js';
import { Unrepaired } from './attachment/unrepaired.js';
import { DeviceController } from './device/device.controller.js';
import { LeaseController } from './lease/lease.controller.js';
import { LeaseReconciler } from './lease/lease.reconciler.js';
import { LeaseService } from './lease/lease.service.js';
import { RequestService } from './request/request.service.js';
import { RegistryLifecycle } from './registry-lifecycle.js';
import { RegistryController } from './registry/registry.controller.js';
import { ReservationController } from './reservation/reservation.controller.js';
import type { RegistrySettings } from './settings.js';
import { STORE } from './store.provider.js';
import { WorkerLink } from './worker/worker-link.js';

const store: FactoryProvider<Store> = {
  provide: STORE,
  inject: [SETTINGS, LOGGER],
  useFactory: (settings: RegistrySettings, logger: Logger) =>
    openStore({
      url: databaseUrl(settings),
      exclusiveTo: 'device-registry',
      onMigration: (name) => {
        logger.info({ migration: name }, 'migrated the database');
      },
    }),
};

const workerLink: FactoryProvider<WorkerLink> = {
  provide: WorkerLink,
  inject: [SETTINGS, LOGGER],
  useFactory: (settings: RegistrySettings, logger: Logger) =>
    new WorkerLink(`unix:${stateLayout(settings.stateFolder).workerSocket}`, logger),
};

const attachmentService: FactoryProvider<AttachmentService> = {
  provide: AttachmentService,
  inject: [STORE, Holds, DeviceOperations, WorkerLink, Drain, Unrepaired, SETTINGS, LOGGER],
  useFactory: (
    ownStore: Store,
    holds: Holds,
    operations: DeviceOperations,
    worker: WorkerLink,
    drain: Drain,
    unrepaired: Unrepaired,
    settings: RegistrySettings,
    logger: Logger,
  ) =>
    new AttachmentService(
      ownStore,
      holds,
      operations,
      worker,
      drain,
      unrepaired,
      stateLayout(settings.stateFolder).workerHandoff,
      logger,
    ),
};

@Module({
  controllers: [DeviceController, LeaseController, RegistryController, ReservationController],
  providers: [
    store,
    workerLink,
    attachmentService,
    Holds,
    DeviceOperations,
    Unrepaired,
    RegistryLifecycle,
    {
      provide: Drain,
      inject: [STORE, WorkerLink, LeaseReconciler, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof Drain>) => new Drain(...parts),
    },
    {
      provide: SizeWatch,
      inject: [STORE, Holds, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof SizeWatch>) => new SizeWatch(...parts),
    },
    {
      provide: RequestService,
      inject: [STORE],
      useFactory: (ownStore: Store) => new RequestService(ownStore.requests),
    },
    {
      provide: ReleaseExplainer,
      inject: [STORE, Holds, WorkerLink],
      useFactory: (...parts: ConstructorParameters<typeof ReleaseExplainer>) =>
        new ReleaseExplainer(...parts),
    },
    { provide: HandoffInbox, inject: [LOGGER], useFactory: (logger: Logger) => new HandoffInbox(logger) },
    {
      provide: LeaseReconciler,
      inject: [STORE, WorkerLink, LOGGER],
      useFactory: (ownStore: Store, worker: WorkerLink, logger: Logger) =>
        new LeaseReconciler(ownStore, worker, logger),
    },
    {
      provide: LeaseService,
      inject: [STORE, WorkerLink, LeaseReconciler, SizeWatch, Unrepaired],
      useFactory: (...parts: ConstructorParameters<typeof LeaseService>) => new LeaseService(...parts),
    },
    {
      provide: WantedDevices,
      inject: [STORE, AttachmentService, WorkerLink, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof WantedDevices>) => new WantedDevices(...parts),
    },
    {
      provide: AttachmentReconciler,
      inject: [
        STORE,
        Holds,
        DeviceOperations,
        WorkerLink,
        AttachmentService,
        WantedDevices,
        LeaseReconciler,
        Drain,
        Unrepaired,
        HandoffInbox,
        ServiceHealth,
        LOGGER,
      ],
      useFactory: (...parts: ConstructorParameters<typeof AttachmentReconciler>) =>
        new AttachmentReconciler(...parts),
    },
  ],
})
export class RegistryModule {}
