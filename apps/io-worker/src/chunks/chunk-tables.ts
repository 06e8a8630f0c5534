import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';
import type { ChunkSource } from './chunk-source.js';
import { ChunkTable } from './chunk-table.js';

interface Shared {
  readonly table: ChunkTable;
  sessions: number;
}

/** The chunk tables of this worker: sessions of the same field share one, which goes with the last of them. */
export class ChunkTables {
  readonly #shared = new Map<string, Shared>();

  /**
   * A session joins; if it is the first, its requests wait until something is published.
   *
   * @returns the table, and what ends its share
   * @throws HoldfastError INVALID_ARGUMENT when others know the same numbers as something else
   */
  join(source: ChunkSource): { readonly table: ChunkTable; readonly leave: () => void } {
    const key = keyOf(source);
    const shared = this.#shared.get(key) ?? { table: new ChunkTable(source), sessions: 0 };
    if (!isDeepStrictEqual(shared.table.source, source)) {
      throw new HoldfastError('INVALID_ARGUMENT', 'session.chunks differs from that of another session', {
        field: 'session.chunks',
      });
    }
    this.#shared.set(key, shared);
    shared.sessions += 1;
    return {
      table: shared.table,
      leave: () => {
        shared.sessions -= 1;
        if (shared.sessions === 0) this.#shared.delete(key);
      },
    };
  }

  /** @throws HoldfastError CHUNKS_STALE, CHUNKS_BUSY */
  async hold(map: bigint, epoch: bigint): Promise<void> {
    const tables = [...this.#shared.values()].filter(({ table }) => table.source.map === map);
    await Promise.all(tables.map(({ table }) => table.hold(epoch)));
  }

  /** @throws HoldfastError CHUNKS_STALE, INVALID_ARGUMENT */
  publish(
    which: Pick<ChunkSource, 'map' | 'field' | 'allocator'>,
    epoch: bigint,
    chunks: readonly number[],
  ): void {
    this.#shared.get(keyOf(which))?.table.publish(epoch, chunks);
  }
}

function keyOf({ map, field, allocator }: Pick<ChunkSource, 'map' | 'field' | 'allocator'>): string {
  return `${String(map)}/${field}/${String(allocator)}`;
}
