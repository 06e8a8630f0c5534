import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import {
  createClient,
  toDuration,
  workerV1,
  type ServiceClient,
  type StateLayout,
} from '@holdfast/contracts';
import { assert, HoldfastError } from '@holdfast/foundation';
import { reached, type HandoffInbox, type Logger } from '@holdfast/service';
import type { HoldingService } from '../holding/holding.service.js';
import type { MemoryShare } from '../memory/memory-budget.js';
import type { SessionRest } from '../session/session-rest.js';
import type { SessionService } from '../session/session.service.js';
import type { SessionDefinition } from '../session/session.js';
import type { WorkerInstance } from '../worker/worker-instance.js';
import { toDefinition, toRest } from './handover-message.js';
import { ARRIVAL_MS } from './limits.js';
import { readInventory, type Inventory } from './inventory.js';

/** A session that has arrived, and waits for the commit. */
interface Handed {
  readonly definition: SessionDefinition;
  readonly rest: SessionRest;
  readonly memory: MemoryShare;
}

/**
 * The handover as the new worker sees it. Until the old one has answered the commit, what arrives here is not touched: the
 * old one may still go on.
 */
export class Takeover {
  readonly #layout: StateLayout;
  readonly #inbox: HandoffInbox;
  readonly #holdings: HoldingService;
  readonly #sessions: SessionService;
  readonly #instance: WorkerInstance;
  readonly #logger: Logger;
  #done: workerV1.Takeover | undefined;
  /** Of the socket of gRPC, once it stands where the old worker's stood. */
  #socketInode: bigint | undefined;

  constructor(
    layout: StateLayout,
    inbox: HandoffInbox,
    holdings: HoldingService,
    sessions: SessionService,
    instance: WorkerInstance,
    logger: Logger,
  ) {
    this.#layout = layout;
    this.#inbox = inbox;
    this.#holdings = holdings;
    this.#sessions = sessions;
    this.#instance = instance;
    this.#logger = logger;
  }

  /** What was taken over, if this process did. */
  get done(): workerV1.Takeover | undefined {
    return this.#done;
  }

  /**
   * Takes everything over from the worker that listens, and then listens in its place.
   *
   * @throws HoldfastError UPGRADE_FAILED as the old worker says; SERVICE_UNAVAILABLE when there is none, or none any more
   */
  async run(): Promise<void> {
    await this.#inbox.listen(this.#layout.workerNextHandoff);
    const address = `unix:${this.#layout.workerSocket}`;
    const worker = createClient(workerV1.HandoverServiceService, address);
    const stream = worker.beginHandover({});
    try {
      const inventory = await readInventory(stream, address);
      const handed = await this.#receive(worker, inventory);
      await reached('upgrade.received');
      await worker.commitHandover({ handover: inventory.summary.handover });
      this.#serve(inventory, handed);
      await reached('upgrade.served');
      this.#moveSockets();
      await reached('upgrade.moved');
    } finally {
      // The end of the call is what the old worker waits for, to end.
      stream.cancel();
      worker.close();
    }
  }

  /** All descriptors, each device compared with what it must be (law 3). Nothing that may fail is left for later. */
  async #receive(
    worker: ServiceClient<workerV1.HandoverServiceService>,
    { devices, sessions, summary }: Inventory,
  ): Promise<readonly Handed[]> {
    const arriving = Promise.all([
      Promise.all(sessions.map(({ token }) => this.#inbox.claim(token, ARRIVAL_MS))),
      Promise.all(devices.map((device) => this.#receiveDevice(device))),
    ]);
    // Waited for below, after the call; a failure in between has somebody who hears of it.
    arriving.catch(() => undefined);
    await worker.passDescriptors({ handover: summary.handover });
    const [arrivals] = await arriving;
    return sessions.map((session, at) => {
      const arrival = arrivals[at];
      assert(arrival !== undefined, 'each session has a socket');
      return {
        definition: toDefinition(session, this.#holdingOf(session)),
        rest: toRest(session, arrival.fd, arrival.payload),
        memory: this.#sessions.reserveMemory(),
      };
    });
  }

  async #receiveDevice({ holding, token }: workerV1.HandedDevice): Promise<void> {
    const expected = holding ?? workerV1.Holding.fromPartial({});
    if (expected.device?.$case === 'remote') {
      await this.#holdings.adoptRemote(expected, expected.device.value, true);
    } else await this.#holdings.adopt(token, expected, ARRIVAL_MS);
  }

  /** From here on this process is the worker. */
  #serve({ devices, summary }: Inventory, handed: readonly Handed[]): void {
    this.#instance.takeOver(summary.workerInstance);
    this.#sessions.voidLeasesUpTo(summary.voidLeasesUpTo);
    for (const { definition, rest, memory } of handed) this.#sessions.adopt(definition, rest, memory);
    this.#sessions.resumeAll();
    const pauseMs = Math.max(0, Date.now() - (summary.pauseTime?.getTime() ?? Date.now()));
    this.#done = {
      fromPid: summary.pid,
      sessions: handed.length,
      devices: devices.length,
      pause: toDuration(pauseMs),
      takeTime: new Date(),
    };
    const { fromPid } = this.#done;
    this.#logger.info(
      { fromPid, sessions: handed.length, devices: devices.length, pauseMs },
      'took over from another process',
    );
  }

  #holdingOf({ session }: workerV1.HandedSession) {
    const holding = this.#holdings.find(session?.attachment ?? '');
    if (holding !== undefined) return holding;
    throw new HoldfastError('UPGRADE_FAILED', `${session?.name ?? ''} came without its device`);
  }

  /** Over those of the old worker: whoever connects from now on meets this process, and there is no moment without one. */
  #moveSockets(): void {
    this.#inbox.moveTo(this.#layout.workerHandoff);
    renameSync(this.#layout.workerNextSocket, this.#layout.workerSocket);
    this.#socketInode = inodeOf(this.#layout.workerSocket);
  }

  /** At the end of the process: the socket of gRPC has another name than it was made under, which gRPC does not know. */
  removeSocket(): void {
    const { workerSocket } = this.#layout;
    if (this.#socketInode !== undefined && inodeOf(workerSocket) === this.#socketInode)
      unlinkSync(workerSocket);
  }
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
