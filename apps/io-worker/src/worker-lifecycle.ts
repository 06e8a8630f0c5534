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
import { HandoverService } from './handover/handover.service.js';
import { Takeover } from './handover/takeover.js';
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
    private readonly handover: HandoverService,
    private readonly takeover: Takeover,
  ) {}

  async start(): Promise<void> {
    // Who takes sessions over needs all threads at once.
    const { takeover, threads, threadsFirst } = this.settings;
    const ahead = threadsFirst === 'cores' ? availableParallelism() : threadsFirst;
    const first = takeover ? threads : Math.min(threads, ahead);
    await this.engines.threads.start(first);
    if (takeover) await this.takeover.run();
    else await this.inbox.listen(stateLayout(this.settings.stateFolder).workerHandoff);
    this.sessions.open();
    this.health.ready();
    void this.#makeThreads(threads - first);
  }

  async drain(): Promise<void> {
    await this.handover.stop();
    await this.sessions.stop(this.settings.drainMs);
  }

  async release(): Promise<void> {
    await this.inbox.close();
    await this.engines.threads.stop();
    this.holdings.closeAll();
    this.takeover.removeSocket();
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
