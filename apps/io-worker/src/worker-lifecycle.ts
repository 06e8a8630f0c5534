import { stateLayout } from '@holdfast/contracts';
import { HandoffInbox, ServiceHealth, SETTINGS, type Lifecycle } from '@holdfast/service';
import { Inject, Injectable } from '@nestjs/common';
import { Engines } from './engine/engines.js';
import { HoldingService } from './holding/holding.service.js';
import { SessionService } from './session/session.service.js';
import type { WorkerSettings } from './settings.js';

/** What happens when the worker starts and when it stops. */
@Injectable()
export class WorkerLifecycle implements Lifecycle {
  constructor(
    @Inject(SETTINGS) private readonly settings: WorkerSettings,
    private readonly health: ServiceHealth,
    private readonly inbox: HandoffInbox,
    private readonly engines: Engines,
    private readonly sessions: SessionService,
    private readonly holdings: HoldingService,
  ) {}

  async start(): Promise<void> {
    await this.engines.threads.start(this.settings.threads);
    await this.inbox.listen(stateLayout(this.settings.stateFolder).workerHandoff);
    this.sessions.open();
    this.health.ready();
  }

  async drain(): Promise<void> {
    await this.sessions.stop(this.settings.drainMs);
  }

  async release(): Promise<void> {
    await this.inbox.close();
    await this.engines.threads.stop();
    this.holdings.closeAll();
  }
}
