import {
  createClient,
  FollowedStream,
  toDuration,
  workerV1,
  type ServiceClient,
  type StreamEnd,
} from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import { setTimeout as delay } from 'node:timers/promises';

/** Between two attempts to reconcile with a worker that answers. */
const RETRY_MS = 100;

/** The most that the worker answers with. */
const SESSIONS_PAGE = 1000;
const PINS_PAGE = 1000;

export type LinkState =
  | { readonly kind: 'down' }
  /** The worker answers, but what it holds is still being compared with the database. */
  | { readonly kind: 'reconciling'; readonly instance: string }
  | { readonly kind: 'up'; readonly instance: string };

/** What the rest of the registry does when the worker comes, and when a session of it ends. */
export interface LinkListener {
  /** A worker process has answered: compare what it holds with the records, before anything new is granted. */
  reconcile(): Promise<void>;
  /** The link is up: leases are granted again. */
  reconciled(): void;
  sessionEnded(lease: bigint): void;
}

/**
 * The registry's line to the worker: calls, and a stream of ended sessions whose end is the kernel's word that the
 * worker, or its listening, is gone.
 */
export class WorkerLink {
  readonly #holdings: ServiceClient<workerV1.HoldingServiceService>;
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;
  readonly #ledger: ServiceClient<workerV1.LedgerServiceService>;
  readonly #worker: ServiceClient<workerV1.WorkerServiceService>;
  readonly #logger: Logger;
  #state: LinkState = { kind: 'down' };
  #stream: FollowedStream<workerV1.SessionEvent> | undefined;

  constructor(address: string, logger: Logger) {
    this.#holdings = createClient(workerV1.HoldingServiceService, address);
    this.#sessions = createClient(workerV1.SessionServiceService, address);
    this.#ledger = createClient(workerV1.LedgerServiceService, address);
    this.#worker = createClient(workerV1.WorkerServiceService, address);
    this.#logger = logger;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The worker process that leases are valid at. @throws HoldfastError WORKER_UNAVAILABLE */
  requireUp(): string {
    if (this.#state.kind !== 'up') {
      throw new HoldfastError('WORKER_UNAVAILABLE', 'the I/O worker does not answer; it is being restarted');
    }
    return this.#state.instance;
  }

  /** Follows the worker from now on, through its restarts. */
  follow(listener: LinkListener): void {
    this.#stream = new FollowedStream(() => this.#sessions.watchSessions({}), {
      onMessage: (event) => {
        if (event.ended === undefined) void this.#greet(event.workerInstance, listener);
        else listener.sessionEnded(event.ended.lease);
      },
      onBreak: (how) => {
        if (this.#state.kind !== 'down') this.#tellEnd(how);
        this.#state = { kind: 'down' };
      },
    });
  }

  /** The records may have changed behind our back: compares them with what the worker holds, if it is there. */
  compareAnew(listener: LinkListener): void {
    if (this.#state.kind !== 'down') void this.#greet(this.#state.instance, listener);
  }

  async adoptDevice(request: workerV1.AdoptDeviceRequest): Promise<void> {
    await this.#holdings.adoptDevice(request);
  }

  async releaseDevice(attachment: string): Promise<void> {
    await this.#holdings.releaseDevice({ attachment });
  }

  async returnDevice(attachment: string, token: Uint8Array): Promise<void> {
    await this.#holdings.returnDevice({ attachment, token });
  }

  /** @param voidUnclaimed no handover of ours is under way */
  reconcile(voidLeasesUpTo: bigint, voidUnclaimed = false): Promise<workerV1.ReconcileResponse> {
    return this.#holdings.reconcile({ voidLeasesUpTo, voidUnclaimed });
  }

  /** Ends a session, whatever its client does; answers once nothing of it can touch the device. */
  async endSession(name: string, graceMs: number): Promise<void> {
    await this.#sessions.endSession({ name, grace: toDuration(graceMs) });
  }

  /** Process id of the worker, as it knows it. */
  async pid(): Promise<number> {
    return (await this.#worker.getWorker({})).pid;
  }

  /** What is pinned of a device, by name; the first of it, if it is more than one answer holds. */
  async listPins(device: string): Promise<workerV1.Pin[]> {
    return (await this.#ledger.listPins({ device, session: '', pageSize: PINS_PAGE, pageToken: '' })).pins;
  }

  /** Every session of the worker. */
  async listSessions(): Promise<workerV1.Session[]> {
    const sessions: workerV1.Session[] = [];
    let pageToken = '';
    do {
      const page = await this.#sessions.listSessions({ pageSize: SESSIONS_PAGE, pageToken });
      sessions.push(...page.sessions);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return sessions;
  }

  stop(): void {
    this.#stream?.close();
    this.#state = { kind: 'down' };
    this.#holdings.close();
    this.#sessions.close();
    this.#ledger.close();
    this.#worker.close();
  }

  async #greet(instance: string, listener: LinkListener): Promise<void> {
    const state: LinkState = { kind: 'reconciling', instance };
    this.#state = state;
    // Another state means that the worker went away meanwhile: whoever comes next is greeted anew.
    while (this.#state === state) {
      try {
        await listener.reconcile();
        if (this.#isStill(state)) {
          this.#state = { kind: 'up', instance };
          listener.reconciled();
        }
      } catch (error) {
        if (!this.#isStill(state)) return;
        this.#logger.error(
          { err: error },
          `reconciling with the worker failed, trying again: ${messageOf(error)}`,
        );
        await delay(RETRY_MS);
      }
    }
  }

  /** One that stops in order takes its leave; that is no reason to look into the log. */
  #tellEnd(how: StreamEnd): void {
    if (how.kind === 'ended') this.#logger.info('the worker has stopped');
    else this.#logger.warn({ reason: how.reason }, 'lost the worker');
  }

  #isStill(state: LinkState): boolean {
    return this.#state === state;
  }
}
