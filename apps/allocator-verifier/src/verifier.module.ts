import { stateLayout } from '@holdfast/contracts';
import { databaseUrl, LOGGER, SETTINGS, type Logger } from '@holdfast/service';
import { openStore, type Store } from '@holdfast/store';
import { Module, type FactoryProvider } from '@nestjs/common';
import { AllocatorController } from './allocator/allocator.controller.js';
import { AllocatorReconciler } from './allocator/allocator.reconciler.js';
import { AllocatorService } from './allocator/allocator.service.js';
import { ChunkPools } from './chunk/chunk-pools.js';
import { ChunkExportController } from './fence/chunk-export.controller.js';
import { ChunkExportService } from './fence/chunk-export.service.js';
import { MapFence } from './fence/map-fence.js';
import { WorkerLink } from './fence/worker-link.js';
import { MapController } from './map/map.controller.js';
import { MapService } from './map/map.service.js';
import { Lifetimes } from './lifetimes/lifetimes.js';
import { ProgramController } from './program/program.controller.js';
import { ProgramRunner } from './program/program-runner.js';
import { ProgramService } from './program/program.service.js';
import { TableController } from './table/table.controller.js';
import { RegistryLink } from './registry/registry-link.js';
import type { VerifierSettings } from './settings.js';
import { STORE } from './store.provider.js';
import { VerifierController } from './verifier/verifier.controller.js';
import { VerifierLifecycle } from './verifier-lifecycle.js';

const store: FactoryProvider<Store> = {
  provide: STORE,
  inject: [SETTINGS, LOGGER],
  useFactory: (settings: VerifierSettings, logger: Logger) =>
    openStore({
      url: databaseUrl(settings),
      onMigration: (name) => {
        logger.info({ migration: name }, 'migrated the database');
      },
    }),
};

const registryLink: FactoryProvider<RegistryLink> = {
  provide: RegistryLink,
  inject: [SETTINGS],
  useFactory: (settings: VerifierSettings) =>
    new RegistryLink(`unix:${stateLayout(settings.stateFolder).registrySocket}`),
};

const workerLink: FactoryProvider<WorkerLink> = {
  provide: WorkerLink,
  inject: [SETTINGS],
  useFactory: (settings: VerifierSettings) =>
    new WorkerLink(`unix:${stateLayout(settings.stateFolder).workerSocket}`),
};

@Module({
  controllers: [
    AllocatorController,
    ChunkExportController,
    MapController,
    ProgramController,
    TableController,
    VerifierController,
  ],
  providers: [
    store,
    registryLink,
    workerLink,
    VerifierLifecycle,
    {
      provide: ChunkPools,
      inject: [STORE],
      useFactory: (ownStore: Store) => new ChunkPools(ownStore.chunks),
    },
    {
      provide: Lifetimes,
      inject: [STORE, ChunkPools],
      useFactory: (...parts: ConstructorParameters<typeof Lifetimes>) => new Lifetimes(...parts),
    },
    {
      provide: AllocatorService,
      inject: [STORE, RegistryLink, ChunkPools, Lifetimes],
      useFactory: (...parts: ConstructorParameters<typeof AllocatorService>) =>
        new AllocatorService(...parts),
    },
    {
      provide: AllocatorReconciler,
      inject: [STORE, AllocatorService, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof AllocatorReconciler>) =>
        new AllocatorReconciler(...parts),
    },
    {
      provide: MapFence,
      inject: [STORE, WorkerLink, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof MapFence>) => new MapFence(...parts),
    },
    {
      provide: ChunkExportService,
      inject: [STORE],
      useFactory: (ownStore: Store) => new ChunkExportService(ownStore),
    },
    {
      provide: MapService,
      inject: [STORE, ChunkPools, Lifetimes, AllocatorReconciler, MapFence, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof MapService>) => new MapService(...parts),
    },
    {
      provide: ProgramService,
      inject: [Lifetimes],
      useFactory: (lifetimes: Lifetimes) => new ProgramService(lifetimes),
    },
    {
      provide: ProgramRunner,
      inject: [STORE, ChunkPools, Lifetimes, MapFence, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof ProgramRunner>) => new ProgramRunner(...parts),
    },
  ],
})
export class VerifierModule {}
