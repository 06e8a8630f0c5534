import { setTimeout as delay } from 'node:timers/promises';
import { sessionName } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { reached, type Logger } from '@holdfast/service';
import type { Cause, LeaseRecord, Store } from '@holdfast/store';
import type { LeaseReconciler } from '../lease/lease.reconciler.js';
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

/** A drain under way. */
interface Waiting {
  readonly givenUp: AbortController;
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<unknown>;
}

/** Empties a device of leases before a detach: by waiting, and if that is asked for by force. */
export class Drain {
  readonly #waiting = new Map<string, Waiting>();

  constructor(
    private readonly store: Store,
    private readonly worker: WorkerLink,
    private readonly leases: LeaseReconciler,
    private readonly logger: Logger,
  ) {}

  /** Whether a detach of the device waits for its sessions, here and now. */
  isWaiting(deviceId: string): boolean {
    return this.#waiting.has(deviceId);
  }

  /**
   * Another detach of the device takes over: the one that waits is refused, and the device is as before.
   *
   * @returns whether one has waited
   */
  async giveUp(deviceId: string): Promise<boolean> {
    const waiting = this.#waiting.get(deviceId);
    waiting?.givenUp.abort();
    await waiting?.ended;
    return waiting !== undefined;
  }

  /** At the end of the process: nobody waits any more. */
  async giveUpAll(): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((deviceId) => this.giveUp(deviceId)));
  }

  /**
   * Waits for the leases of a device as the caller allows. Whatever is left after that is for the detach to refuse.
   *
   * @returns the sessions that were cut off, by their names
   */
  async emptied(deviceId: string, cause: Cause, options: DetachOptions): Promise<string[]> {
    if (options.drainMs === 0 && !options.force) return [];
    const givenUp = new AbortController();
    const outcome = this.#empty(deviceId, cause, options, givenUp.signal);
    this.#waiting.set(deviceId, { givenUp, ended: outcome.catch(() => undefined) });
    try {
      return await outcome;
    } finally {
      this.#waiting.delete(deviceId);
    }
  }

  async #empty(
    deviceId: string,
    cause: Cause,
    { drainMs, force }: DetachOptions,
    givenUp: AbortSignal,
  ): Promise<string[]> {
    const attachment = (await this.store.devices.find(deviceId))?.attachment;
    if (attachment?.state !== 'CONNECTED') return [];
    await this.store.attachments.transition(attachment.id, 'CONNECTED', 'DRAINING', {}, cause);
    await reached('detach.draining');
    try {
      if (await this.#goneWithin(deviceId, drainMs, givenUp)) return [];
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

  /** Has the sessions of fenced leases ended, that a crash may have left so. Never throws: they stay fenced. */
  async endFenced(): Promise<void> {
    try {
      const fenced = (await this.store.leases.listAll()).filter(({ state }) => state === 'FENCED');
      await Promise.all(fenced.map((lease) => this.#end(lease)));
    } catch (error) {
      this.logger.warn(`sessions that were to be cut off have not ended: ${messageOf(error)}`);
    }
  }

  async #goneWithin(deviceId: string, patienceMs: number, givenUp?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      if ((await this.#leases(deviceId, 1)).length === 0) return true;
      if (givenUp?.aborted === true) throw overtaken(deviceId);
      if (performance.now() >= deadline) return false;
      await delay(POLL_MS);
    }
  }

  /** Fenced first, in the record and at the worker; released by the worker's word that they are over (law 1). */
  async #cut(deviceId: string, cause: Cause): Promise<string[]> {
    const fenced = await this.store.leases.fence(deviceId, cause);
    await reached('detach.fenced');
    // A client that is still on its way to the worker is refused there; what no session uses is released.
    await this.leases.releaseUnused(0);
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

function overtaken(deviceId: string): HoldfastError {
  return new HoldfastError(
    'DEVICE_IN_USE',
    `The detach of ${deviceId} waits no longer: another detach has taken over, or the registry stops.`,
    { device: deviceId },
  );
}
