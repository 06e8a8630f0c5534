import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import type { Store } from '@holdfast/store';
import type { AllocatorService } from './allocator.service.js';

/** Between two looks at what is left to do: a registry that is being restarted is there again by then. */
const RETRY_MS = 1_000;

/** Finishes what a crash left, or a registry that did not answer, and destroys what drains once nothing relies on it. */
export class AllocatorReconciler {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly allocators: AllocatorService,
    private readonly logger: Logger,
  ) {}

  /** Looks now: something may have been the last that relied on an allocator. Answers after the look. */
  look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running = this.#running.then(() => this.#finishAll());
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Asked again after every wait: it may change meanwhile. */
  #hasStopped(): boolean {
    return this.#stopped;
  }

  async #finishAll(): Promise<void> {
    if (this.#hasStopped()) return;
    let isLeft = false;
    try {
      for (const record of await this.store.allocators.listAll()) {
        if (record.state === 'ACTIVE') continue;
        // What drains is finished by whoever takes the last that relies on it.
        isLeft ||= record.state !== 'DRAINING';
        await this.allocators.finish(record).catch((error: unknown) => {
          this.logger.warn(
            { allocator: record.name },
            `not finished, to be tried again: ${messageOf(error)}`,
          );
        });
      }
    } catch (error) {
      isLeft = true;
      this.logger.warn(`looking for what is left to do failed: ${messageOf(error)}`);
    }
    if (!isLeft || this.#hasStopped()) return;
    this.#timer = setTimeout(() => {
      void this.look();
    }, RETRY_MS);
  }
}
