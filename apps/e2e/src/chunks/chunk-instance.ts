import { readSync, openSync, closeSync } from 'node:fs';
import { openStore, type Store, type ValueRecord } from '@holdfast/store';
import { Faults } from '../crash/fault.js';
import { atEnd } from '../support/cleanup.js';
import { chosenDatabase } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';

export const CHUNK_BYTES = 64 * 1024;
export const ENTRIES = 64;
const POOL_CHUNKS = 256;

/** An instance with an allocator on a loop device, a map of its chunks, and an export of them. */
export class ChunkInstance {
  private constructor(
    readonly holdfast: Holdfast,
    readonly faults: Faults,
    /** The loop device: it has the page cache that the worker writes to. */
    readonly node: string,
    readonly store: Store,
  ) {}

  static async start(): Promise<ChunkInstance> {
    const faults = new Faults();
    const env = { ...faults.env, ...(await chosenDatabase.create()) };
    const holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    const store = await openStore({ url: env['DATABASE_URL'] ?? `file:${holdfast.layout.database}` });
    atEnd(() => store.close());
    const pool = makeImage(POOL_CHUNKS * CHUNK_BYTES, { name: 'pool.img' });
    const does = (...args: readonly string[]) => doesAt(holdfast, args);
    await does('device', 'add', 'disk', '--kind', 'loop', '--path', pool);
    await does('device', 'attach', 'disk');
    const [node = ''] = (await does('device', 'node', 'disk')).split(' ');
    const instance = new ChunkInstance(holdfast, faults, node, store);
    await instance.does('allocator', 'create', 'pool', '--device', 'disk', '--chunk', '64K');
    return instance;
  }

  /** Runs a command that has to succeed. @returns what it printed */
  does(...args: readonly string[]): Promise<string> {
    return doesAt(this.holdfast, args);
  }

  uri(name: string): string {
    return `nbd+unix:///${name}?socket=${this.holdfast.layout.nbdSocket}`;
  }

  /** Creates a map, and an export of the same name. */
  async publish(name: string): Promise<void> {
    await this.does('map', 'create', name, '--entries', String(ENTRIES), '--field', 'chunk');
    const what = ['--map', name, '--field', 'chunk', '--allocator', 'pool'];
    await this.does('export', 'add', name, ...what);
  }

  /**
   * Has a map hold these chunks, by entry: written as a program's run would write it, by a process that is killed before it
   * has told anybody. The next one knows what it finds.
   */
  async hold(name: string, chunks: ReadonlyMap<number, number>): Promise<void> {
    const { number: mapNumber } = await this.store.maps.get(name);
    const { number: allocatorNumber } = await this.store.allocators.get('pool');
    const before = await this.store.maps.values({ mapNumber, pageSize: 1000 });
    const stored = [...chunks].map(([entry, chunk]): ValueRecord => ({
      ...{ mapNumber, field: 'chunk', entry, allocatorNumber, chunk, generation: 1 },
    }));
    const generations = (await this.store.chunks.page(allocatorNumber, 0)) ?? new Uint32Array(POOL_CHUNKS);
    for (const { chunk } of stored) generations[chunk] = 1;
    await this.store.chunks.apply({
      allocatorNumber,
      pages: [{ page: 0, generations }],
      cleared: before.items,
      stored,
    });
    await this.killVerifier();
  }

  /** kill -9, and waits until the next one answers. */
  async killVerifier(): Promise<void> {
    const { holdfast } = this;
    await holdfast.restarted('allocator-verifier', holdfast.kill('allocator-verifier'));
    await eventually('the allocator-verifier to answer', async () => {
      const { code } = await holdfast.cli('map', 'list');
      return code === 0;
    });
  }

  /** What is in a chunk, as the device has it. */
  chunk(number: number, length = CHUNK_BYTES): Buffer {
    const bytes = Buffer.alloc(length);
    const fd = openSync(this.node, 'r');
    readSync(fd, bytes, 0, length, number * CHUNK_BYTES);
    closeSync(fd);
    return bytes;
  }
}

async function doesAt(holdfast: Holdfast, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await holdfast.cli(...args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Entry 0 has the chunk `first`, the next the one after it, and so on. */
export function chunksFrom(first: number, count = ENTRIES): Map<number, number> {
  return new Map(Array.from({ length: count }, (_, entry) => [entry, first + entry]));
}
