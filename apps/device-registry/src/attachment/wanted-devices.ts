import { HoldfastError, messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import type { Cause, Store } from '@holdfast/store';
import type { WorkerLink } from '../worker/worker-link.js';
import type { AttachmentService } from './attachment.service.js';

/** Between the first failure to attach what should be attached and the next attempt; doubles with each. */
const FIRST_PAUSE_MS = 250;
/** A path that is not there yet, or a program that has the image open, is looked for this often at least. */
const PAUSE_MS_MAX = 30_000;

const WANTED: Cause = { actor: 'registry', reason: 'it should be attached' };

/**
 * Attaches again what should be attached and is not, after a crash: until it succeeds, because nobody asks again. An
 * attach that somebody asked for and that failed is his to repeat.
 */
export class WantedDevices {
  #retry: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly attachments: AttachmentService,
    private readonly worker: WorkerLink,
    private readonly logger: Logger,
  ) {}

  /** Tries each of them once; those that fail are tried again later. Never throws: what fails is in log and record. */
  async attachAll(): Promise<void> {
    this.#pauseMs = FIRST_PAUSE_MS;
    try {
      await this.#attach((await this.store.devices.listWanted()).map(({ id }) => id));
    } catch (error) {
      this.logger.error(`the devices to attach are not known: ${messageOf(error)}`);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  async #attach(ids: readonly string[]): Promise<void> {
    const failed: string[] = [];
    for (const id of ids) {
      await this.attachments.attach(id, WANTED).catch((error: unknown) => {
        this.logger.error({ device: id }, `cannot attach: ${messageOf(error)}`);
        if (!isGone(error)) failed.push(id);
      });
    }
    clearTimeout(this.#retry);
    if (failed.length === 0 || this.#stopped) return;
    this.#retry = setTimeout(() => {
      void this.#attachThose(failed);
    }, this.#pauseMs);
    this.#retry.unref();
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
  }

  /** Those that are still wanted. While the worker is away there is nothing to try: its return begins anew. */
  async #attachThose(ids: readonly string[]): Promise<void> {
    if (this.worker.state.kind !== 'up') return;
    try {
      const wanted = new Set((await this.store.devices.listWanted()).map(({ id }) => id));
      await this.#attach(ids.filter((id) => wanted.has(id)));
    } catch (error) {
      this.logger.error(`the devices to attach are not known: ${messageOf(error)}`);
    }
  }
}

/** It was deleted meanwhile. */
function isGone(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'DEVICE_NOT_FOUND';
}
