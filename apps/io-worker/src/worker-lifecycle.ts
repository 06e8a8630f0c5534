import { availableParallelism } from 'node:os';
import { stateLayout } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import {
  HandoffInbox,
  LOGGER,
  ServiceHealth,
  SETTINGS,
  type Lifecycle,
  type Logger,
} from '@holdfast/service';
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
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly health: ServiceHealth,
    private readonly inbox: HandoffInbox,
    private readonly engines: Engines,
    private readonly sessions: SessionService,
    private readonly holdings: HoldingService,
  ) {}

  async start(): Promise<void> {
    const first = Math.min(this.settings.threads, availableParallelism());
    await this.engines.threads.start(first);
    await this.inbox.listen(stateLayout(this.settings.stateFolder).workerHandoff);
    this.sessions.open();
    this.health.ready();
    void this.#makeThreads(this.settings.threads - first);
  }

  async drain(): Promise<void> {
    await this.sessions.stop(this.settings.drainMs);
  }

  async release(): Promise<void> {
    await this.inbox.close();
    await this.engines.threads.stop();
    this.holdings.closeAll();
  }

  /** The others follow one by one, so that being ready does not wait for them: each costs some 80 ms of a core. */
  async #makeThreads(count: number): Promise<void> {
    try {
      for (let made = 0; made < count; made++) await this.engines.threads.start(1);
    } catch (error) {
      this.logger.error(`fewer I/O threads than wanted: ${messageOf(error)}`);
    }
  }
}
