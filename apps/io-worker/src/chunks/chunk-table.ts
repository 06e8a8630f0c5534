import { HoldfastError } from '@holdfast/foundation';
import type { ChunkList } from './chunk-pieces.js';
import type { ChunkSource } from './chunk-source.js';
import { CHUNKS_REST_MS } from './limits.js';

/**
 * What the sessions of one field of a map may reach. It is either published, and requests use it, or held, and they wait. It
 * changes only while it is held and no request uses it, and its epoch only rises (law 4).
 */
export class ChunkTable {
  readonly source: ChunkSource;
  #epoch = 0n;
  /** Of what is published, or was last. */
  #publishedEpoch = 0n;
  #list: ChunkList;
  #held = true;
  #using = 0;
  #rested: () => void = () => undefined;
  #published = gate();

  constructor(source: ChunkSource) {
    this.source = source;
    this.#list = new Uint32Array(source.entries);
  }

  /** The newest that is known; 0n before the first. */
  get epoch(): bigint {
    return this.#epoch;
  }

  /** What may be used now without waiting, and for no longer than that; undefined while it is held. */
  get list(): ChunkList | undefined {
    return this.#held ? undefined : this.#list;
  }

  /** Requests that are under way. */
  get using(): number {
    return this.#using;
  }

  /**
   * Carries out a request under the list that is published, or the next one. What it says stands until `act` has settled.
   *
   * @param signal ends the wait
   * @returns undefined when `signal` was aborted while it waited
   */
  async use<T>(signal: AbortSignal, act: (list: ChunkList) => Promise<T>): Promise<T | undefined> {
    while (this.#held) {
      if (signal.aborted) return undefined;
      await this.#published.orAborted(signal);
    }
    this.#using += 1;
    try {
      return await act(this.#list);
    } finally {
      this.#using -= 1;
      if (this.#using === 0) {
        const rested = this.#rested;
        this.#rested = () => undefined;
        rested();
      }
    }
  }

  /**
   * Requests wait from now on. Resolves when none is under way.
   *
   * @throws HoldfastError CHUNKS_STALE; CHUNKS_BUSY when one does not end in time, and then it is held all the same
   */
  async hold(epoch: bigint, restMs = CHUNKS_REST_MS): Promise<void> {
    // One that comes late, when its caller has given up and gone on: nobody would ever publish for it.
    if (epoch <= this.#publishedEpoch)
      throw stale(this.source.map, `epoch ${String(epoch)} is published already`);
    this.#rise(epoch);
    this.#held = true;
    if (this.#using === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late');
      }, restMs);
    });
    const rested = new Promise<void>((resolve) => {
      const others = this.#rested;
      this.#rested = () => {
        others();
        resolve();
      };
    });
    const outcome = await Promise.race([rested, late]);
    clearTimeout(timer);
    if (outcome !== 'late') return;
    throw new HoldfastError(
      'CHUNKS_BUSY',
      `requests on chunks of the map ${String(this.source.map)} did not end within ${String(restMs / 1000)} s`,
      { map: String(this.source.map) },
    );
  }

  /** @throws HoldfastError CHUNKS_STALE; INVALID_ARGUMENT when it is no list of this source */
  publish(epoch: bigint, chunks: readonly number[]): void {
    const { entries, capacity, map } = this.source;
    if (chunks.length !== entries || chunks.some((chunk) => chunk > capacity)) {
      const rule = `must be ${String(entries)}, each at most ${String(capacity)}`;
      throw new HoldfastError('INVALID_ARGUMENT', `chunks ${rule}`, { field: 'chunks' });
    }
    const list = Uint32Array.from(chunks);
    const isSame = list.every((chunk, entry) => chunk === this.#list[entry]);
    // Requests may be under way by what it says now.
    if (!isSame && (!this.#held || this.#using > 0)) {
      throw stale(map, 'what its sessions may reach would change under their requests');
    }
    this.#rise(epoch);
    this.#publishedEpoch = epoch;
    this.#list = list;
    if (!this.#held) return;
    this.#held = false;
    const before = this.#published;
    this.#published = gate();
    before.open();
  }

  #rise(epoch: bigint): void {
    if (epoch < this.#epoch) {
      throw stale(
        this.source.map,
        `epoch ${String(epoch)} is older than ${String(this.#epoch)}, which is known`,
      );
    }
    this.#epoch = epoch;
  }
}

function stale(map: bigint, why: string): HoldfastError {
  return new HoldfastError('CHUNKS_STALE', `chunks of the map ${String(map)} are as they were: ${why}`, {
    map: String(map),
  });
}

/** Something that many wait for. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open,
    /** Resolves when it is open, or when `signal` is aborted. */
    orAborted: async (signal: AbortSignal): Promise<void> => {
      let end: () => void = () => undefined;
      const aborted = new Promise<void>((resolve) => {
        end = resolve;
      });
      signal.addEventListener('abort', end);
      await Promise.race([opened, aborted]);
      signal.removeEventListener('abort', end);
    },
  };
}
