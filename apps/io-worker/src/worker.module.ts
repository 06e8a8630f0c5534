import { stateLayout } from '@holdfast/contracts';
import {
  HandoffInbox,
  LOGGER,
  ServiceHealth,
  SETTINGS,
  type Logger,
  type ServiceSettings,
} from '@holdfast/service';
import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Engines } from './engine/engines.js';
import { EventLoopEngine } from './engine/event-loop-engine.js';
import { ThreadEngine } from './engine/thread-engine.js';
import { HoldingController } from './holding/holding.controller.js';
import { HoldingService } from './holding/holding.service.js';
import { SessionController } from './session/session.controller.js';
import { SessionService } from './session/session.service.js';
import type { workerSettings } from './settings.js';
import { WorkerController } from './worker/worker.controller.js';

export type WorkerSettings = ServiceSettings<typeof workerSettings>;

@Module({
  controllers: [HoldingController, SessionController, WorkerController],
  providers: [
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
      ) => new SessionService(inbox, holdings, engines, settings.sessionsMax, logger),
    },
  ],
})
export class WorkerModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(SETTINGS) private readonly settings: WorkerSettings,
    private readonly health: ServiceHealth,
    private readonly inbox: HandoffInbox,
    private readonly engines: Engines,
    private readonly sessions: SessionService,
    private readonly holdings: HoldingService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.engines.threads.start(this.settings.threads);
    await this.inbox.listen(stateLayout(this.settings.stateFolder).workerHandoff);
    this.health.setServing(true);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.sessions.stop(this.settings.drainMs);
    await this.inbox.close();
    await this.engines.threads.stop();
    this.holdings.closeAll();
  }
}
