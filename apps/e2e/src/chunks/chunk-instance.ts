import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openStore, type Store } from '@holdfast/store';
import { Faults } from '../crash/fault.js';
import { atEnd } from '../support/cleanup.js';
import { chosenDatabase } from '../support/databases.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';

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

  /** Gives each entry of a map a chunk, by a program. */
  async fill(map: string): Promise<void> {
    const source = `program ${map}_fill {
  loop r1 times ${String(ENTRIES)} {
    r0 = alloc pool
    if r0 is not null {
      r0 = xchg ${map}[r1].chunk, r0
      if r0 is not null {
        free r0
      }
    }
  }
}
`;
    await this.#run(`${map}_fill`, source);
  }

  /** Exchanges what two entries hold, by a program, in one step. */
  async swap(map: string, a: number, b: number): Promise<void> {
    const source = `program ${map}_swap(a, b) {
  r1 = arg a
  r2 = arg b
  r0 = xchg ${map}[r1].chunk, null
  r0 = xchg ${map}[r2].chunk, r0
  r0 = xchg ${map}[r1].chunk, r0
  if r0 is not null {
    free r0
  }
}
`;
    await this.#run(`${map}_swap`, source, `a=${String(a)}`, `b=${String(b)}`);
  }

  /** The number of the chunk that an entry holds, as the records have it. */
  async chunkOf(map: string, entry: number): Promise<number> {
    const { number: mapNumber } = await this.store.maps.get(map);
    const { items } = await this.store.maps.values({ mapNumber, pageSize: 1000 });
    const held = items.find((value) => value.entry === entry);
    if (held === undefined) throw new Error(`${map}[${String(entry)}] is null`);
    return held.chunk;
  }

  async #run(name: string, source: string, ...values: readonly string[]): Promise<void> {
    const file = path.join(scratchFolder(), name);
    writeFileSync(file, source);
    await this.does('program', 'load', file);
    await this.does('program', 'run', name, ...values);
    await this.does('program', 'unload', name);
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
