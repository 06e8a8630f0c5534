import { stateLayout } from '@holdfast/contracts';
import { HandoffInbox, LOGGER, SETTINGS, type Logger } from '@holdfast/service';
import { Module } from '@nestjs/common';
import { Engines } from './engine/engines.js';
import { EventLoopEngine } from './engine/event-loop-engine.js';
import { ThreadEngine } from './engine/thread-engine.js';
import { HoldingController } from './holding/holding.controller.js';
import { HoldingService } from './holding/holding.service.js';
import { SessionMemory } from './memory/session-memory.js';
import { SessionController } from './session/session.controller.js';
import { SessionService } from './session/session.service.js';
import type { WorkerSettings } from './settings.js';
import { WorkerLifecycle } from './worker-lifecycle.js';
import { WorkerController } from './worker/worker.controller.js';

@Module({
  controllers: [HoldingController, SessionController, WorkerController],
  providers: [
    WorkerLifecycle,
    { provide: HandoffInbox, inject: [LOGGER], useFactory: (logger: Logger) => new HandoffInbox(logger) },
    {
      provide: Engines,
      inject: [LOGGER],
      useFactory: (logger: Logger) => new Engines(new ThreadEngine(logger), new EventLoopEngine()),
    },
    {
      provide: HoldingService,
      inject: [HandoffInbox, SETTINGS, LOGGER],
      useFactory: (inbox: HandoffInbox, settings: WorkerSettings, logger: Logger) =>
        new HoldingService(inbox, stateLayout(settings.stateFolder).registryHandoff, logger),
    },
    {
      provide: SessionService,
      inject: [HandoffInbox, HoldingService, Engines, SETTINGS, LOGGER],
      useFactory: (
        inbox: HandoffInbox,
        holdings: HoldingService,
        engines: Engines,
        settings: WorkerSettings,
        logger: Logger,
      ) =>
        new SessionService(
          inbox,
          holdings,
          engines,
          settings.sessionsMax,
          new SessionMemory(settings, logger),
          logger,
        ),
    },
  ],
})
export class WorkerModule {}
