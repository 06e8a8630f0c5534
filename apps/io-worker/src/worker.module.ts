import { stateLayout } from '@holdfast/contracts';
import { PinLedger } from '@holdfast/pin-ledger';
import {
  HandoffInbox,
  LOGGER,
  PROCESS_IDENTITY,
  SETTINGS,
  type Logger,
  type ProcessIdentity,
} from '@holdfast/service';
import { Module } from '@nestjs/common';
import { ChunkController } from './chunks/chunk.controller.js';
import { Engines } from './engine/engines.js';
import { EventLoopEngine } from './engine/event-loop-engine.js';
import { ThreadEngine } from './engine/thread-engine.js';
import { Gate } from './handover/gate.js';
import { HandoverController } from './handover/handover.controller.js';
import { HandoverService } from './handover/handover.service.js';
import { Takeover } from './handover/takeover.js';
import { HoldingController } from './holding/holding.controller.js';
import { HoldingService } from './holding/holding.service.js';
import { LedgerController } from './ledger/ledger.controller.js';
import { LedgerService } from './ledger/ledger.service.js';
import { SessionMemory } from './memory/session-memory.js';
import { SessionController } from './session/session.controller.js';
import { SessionService } from './session/session.service.js';
import type { WorkerSettings } from './settings.js';
import { WorkerLifecycle } from './worker-lifecycle.js';
import { WorkerInstance } from './worker/worker-instance.js';
import { WorkerController } from './worker/worker.controller.js';

@Module({
  controllers: [
    ChunkController,
    HandoverController,
    HoldingController,
    LedgerController,
    SessionController,
    WorkerController,
  ],
  providers: [
    WorkerLifecycle,
    { provide: Gate, useFactory: () => new Gate() },
    { provide: PinLedger, useFactory: () => new PinLedger() },
    {
      provide: LedgerService,
      inject: [PinLedger],
      useFactory: (ledger: PinLedger) => new LedgerService(ledger),
    },
    { provide: HandoffInbox, inject: [LOGGER], useFactory: (logger: Logger) => new HandoffInbox(logger) },
    {
      provide: Engines,
      inject: [LOGGER],
      useFactory: (logger: Logger) => new Engines(new ThreadEngine(logger), new EventLoopEngine()),
    },
    {
      provide: HoldingService,
      inject: [HandoffInbox, SETTINGS, PinLedger, LOGGER],
      useFactory: (inbox: HandoffInbox, settings: WorkerSettings, ledger: PinLedger, logger: Logger) =>
        new HoldingService(inbox, stateLayout(settings.stateFolder).registryHandoff, ledger, logger),
    },
    {
      provide: SessionService,
      inject: [HandoffInbox, HoldingService, Engines, PinLedger, SETTINGS, LOGGER],
      useFactory: (
        inbox: HandoffInbox,
        holdings: HoldingService,
        engines: Engines,
        ledger: PinLedger,
        settings: WorkerSettings,
        logger: Logger,
      ) =>
        new SessionService(
          inbox,
          holdings,
          engines,
          ledger,
          settings.sessionsMax,
          new SessionMemory(settings, logger),
          logger,
        ),
    },
    {
      provide: WorkerInstance,
      inject: [PROCESS_IDENTITY],
      useFactory: ({ instance }: ProcessIdentity) => new WorkerInstance(instance),
    },
    {
      provide: HandoverService,
      inject: [Gate, SessionService, HoldingService, WorkerInstance, SETTINGS, LOGGER],
      useFactory: (
        gate: Gate,
        sessions: SessionService,
        holdings: HoldingService,
        instance: WorkerInstance,
        settings: WorkerSettings,
        logger: Logger,
      ) =>
        new HandoverService(
          gate,
          sessions,
          holdings,
          instance,
          stateLayout(settings.stateFolder).workerNextHandoff,
          logger,
          () => process.exit(0),
        ),
    },
    {
      provide: Takeover,
      inject: [SETTINGS, HandoffInbox, HoldingService, SessionService, WorkerInstance, LOGGER],
      useFactory: (
        settings: WorkerSettings,
        inbox: HandoffInbox,
        holdings: HoldingService,
        sessions: SessionService,
        instance: WorkerInstance,
        logger: Logger,
      ) => new Takeover(stateLayout(settings.stateFolder), inbox, holdings, sessions, instance, logger),
    },
  ],
})
export class WorkerModule {}
