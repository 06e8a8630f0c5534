import { messageOf } from '@holdfast/foundation';
import { reached, type Logger } from '@holdfast/service';
import type { Store } from '@holdfast/store';
import { Locks } from './locks.js';
import type { ServedField, WorkerLink } from './worker-link.js';

/** Between two attempts to tell the worker: one that is being restarted is there again by then. */
const RETRY_MS = 1_000;

/** An epoch of a map that has begun. */
interface Begun {
  readonly number: bigint;
  readonly epoch: bigint;
}

/**
 * Stands between what maps hold and the clients that are served it (law 4). A change begins an epoch on the disk; then the
 * worker has the sessions of the map wait, and confirms that none of their requests is under way; only then is the change
 * written; at last the worker is told what the records say, whatever became of the change.
 */
export class MapFence {
  readonly #locks = new Locks();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly worker: WorkerLink,
    private readonly logger: Logger,
  ) {}

  /**
   * Every change of what maps hold goes through this: in `commit` nobody reaches a chunk of theirs, and none that is taken
   * out is reached afterwards. Maps that clients were never served cost one statement.
   *
   * @param maps numbers of all maps of which a value may change
   * @param commit writes the change; it is not run when the worker does not confirm. It may take locks of allocators, and
   * must not be run within one
   * @throws HoldfastError SERVICE_UNAVAILABLE when the worker cannot be asked; CHUNKS_BUSY when a request does not end;
   * whatever `commit` throws
   */
  change<Result>(maps: readonly bigint[], commit: () => Promise<Result>): Promise<Result> {
    return this.#locks.exclusive(maps, async () => {
      const begun = await this.store.maps.raiseEpochs(maps);
      if (begun.length === 0) return commit();
      await reached('fence.intended');
      try {
        await Promise.all(begun.map(({ number, epoch }) => this.worker.hold(number, epoch)));
        await reached('fence.held');
        return await commit();
      } finally {
        await reached('fence.changed');
        await this.#publish(begun);
      }
    });
  }

  /**
   * Tells the worker what sessions of a field may reach; from now on the map is fenced.
   *
   * @throws HoldfastError MAP_NOT_FOUND; SERVICE_UNAVAILABLE
   */
  serve(field: ServedField): Promise<void> {
    return this.#locks.exclusive([field.map], async () => {
      const { epoch, entries } = await this.store.maps.serve(field.map);
      await this.worker.publish(field, epoch, await this.#list(field, entries));
    });
  }

  /** What an earlier process held, it may not have published: all is told anew. */
  start(): void {
    this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#refreshing;
  }

  async #publish(begun: readonly Begun[]): Promise<void> {
    try {
      const fields = await this.worker.fields();
      for (const { number, epoch } of begun) {
        for (const field of fields) {
          if (field.map !== number) continue;
          await this.worker.publish(field, epoch, await this.#list(field, field.entries));
        }
      }
    } catch (error) {
      // The requests that wait go on when it is.
      this.logger.warn(`the worker was not told what maps hold, to be tried again: ${messageOf(error)}`);
      this.#refreshLater();
    }
  }

  #refreshLater(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#refresh();
    }, RETRY_MS);
  }

  #refresh(): void {
    this.#refreshing = this.#refreshing.then(() => this.#refreshAll());
  }

  async #refreshAll(): Promise<void> {
    try {
      const fields = await this.worker.fields();
      const maps = new Set(fields.map(({ map }) => map));
      for (const map of maps) await this.#locks.exclusive([map], () => this.#refreshMap(map));
    } catch (error) {
      this.logger.warn(`the worker was not told what maps hold, to be tried again: ${messageOf(error)}`);
      this.#refreshLater();
    }
  }

  /** Of a map that was freed no epoch is recorded, and nothing of it changes any more: what the worker knows rises. */
  async #refreshMap(map: bigint): Promise<void> {
    const fields = (await this.worker.fields()).filter((field) => field.map === map);
    const known = fields.reduce((newest, { epoch }) => (epoch > newest ? epoch : newest), 0n);
    const [begun = { number: map, epoch: known + 1n }] = await this.store.maps.raiseEpochs([map]);
    await this.worker.hold(map, begun.epoch);
    for (const field of fields) {
      await this.worker.publish(field, begun.epoch, await this.#list(field, field.entries));
    }
  }

  async #list({ map, field, allocator }: ServedField, entries: number): Promise<number[]> {
    const held = await this.store.maps.chunks({ mapNumber: map, field, allocatorNumber: allocator });
    const list = Array<number>(entries).fill(0);
    for (const { entry, chunk } of held) list[entry] = chunk + 1;
    return list;
  }
}
