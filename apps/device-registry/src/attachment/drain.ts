import { setTimeout as delay } from 'node:timers/promises';
import { sessionName } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { reached, type Logger } from '@holdfast/service';
import type { Cause, LeaseRecord, Store } from '@holdfast/store';
import type { WorkerLink } from '../worker/worker-link.js';

/** How a caller wants a device detached that is in use. */
export interface DetachOptions {
  /** How long sessions may take to end by themselves, in milliseconds. */
  readonly drainMs: number;
  /** Ends the sessions that did not. */
  readonly force: boolean;
}

/** Refused when it is in use. */
export const AT_ONCE: DetachOptions = { drainMs: 0, force: false };

/** Between two looks at the leases that are left. */
const POLL_MS = 20;

/** How long requests under way of a session that a forced detach cuts off may take before they are fenced. */
const CUT_GRACE_MS = 2_000;

/** From the worker's word that a session is over until its lease is released: a message and a transaction. */
const RELEASE_WAIT_MS = 10_000;

/** Empties a device of leases before a detach: by waiting, and if that is asked for by force. */
export class Drain {
  constructor(
    private readonly store: Store,
    private readonly worker: WorkerLink,
    private readonly logger: Logger,
  ) {}

  /**
   * Waits for the leases of a device as the caller allows. Whatever is left after that is for the detach to refuse.
   *
   * @returns the sessions that were cut off, by their names
   */
  async emptied(deviceId: string, cause: Cause, { drainMs, force }: DetachOptions): Promise<string[]> {
    if (drainMs === 0 && !force) return [];
    const attachment = (await this.store.devices.find(deviceId))?.attachment;
    if (attachment?.state !== 'CONNECTED') return [];
    await this.store.attachments.transition(attachment.id, 'CONNECTED', 'DRAINING', {}, cause);
    await reached('detach.draining');
    try {
      if (await this.#goneWithin(deviceId, drainMs)) return [];
      if (force) return await this.#cut(deviceId, cause);
      throw await this.#stillInUse(deviceId, drainMs);
    } catch (error) {
      await this.store.attachments.transition(
        attachment.id,
        'DRAINING',
        'CONNECTED',
        {},
        {
          actor: 'registry',
          reason: 'the device is still in use',
        },
      );
      throw error;
    }
  }

  /** Has the sessions of fenced leases ended, that a crash may have left so. */
  async endFenced(): Promise<void> {
    const fenced = (await this.store.leases.listAll()).filter(({ state }) => state === 'FENCED');
    await Promise.all(fenced.map((lease) => this.#end(lease)));
  }

  async #goneWithin(deviceId: string, patienceMs: number): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      if ((await this.#leases(deviceId, 1)).length === 0) return true;
      if (performance.now() >= deadline) return false;
      await delay(POLL_MS);
    }
  }

  /** Fenced first, in the record and at the worker; released by the worker's word that they are over (law 1). */
  async #cut(deviceId: string, cause: Cause): Promise<string[]> {
    const fenced = await this.store.leases.fence(deviceId, cause);
    await reached('detach.fenced');
    await Promise.all(fenced.map((lease) => this.#end(lease)));
    if (!(await this.#goneWithin(deviceId, RELEASE_WAIT_MS)))
      throw await this.#stillInUse(deviceId, RELEASE_WAIT_MS);
    const names = fenced.map(({ session }) => sessionName.format(session));
    this.logger.warn({ device: deviceId, sessions: names }, 'cut off the sessions of a device, to detach it');
    return names;
  }

  async #end({ session }: LeaseRecord): Promise<void> {
    await this.worker.endSession(sessionName.format(session), CUT_GRACE_MS);
  }

  async #leases(deviceId: string, pageSize: number): Promise<readonly LeaseRecord[]> {
    return (await this.store.leases.list({ deviceId, pageSize })).items;
  }

  async #stillInUse(deviceId: string, waitedMs: number): Promise<HoldfastError> {
    const sessions = (await this.#leases(deviceId, 10)).map(({ session }) => session).join(', ');
    return new HoldfastError(
      'DEVICE_IN_USE',
      `The device ${deviceId} is still in use after ${String(waitedMs / 1000)} s, by the sessions ${sessions}; see: holdfast device explain ${deviceId}`,
      { device: deviceId, sessions },
    );
  }
}
