import { Errno, type NativeBuffer } from '@holdfast/linux';
import { ExtentList } from '@holdfast/nbd-protocol';
import { CACHE_BYTES_MAX } from '../engine/cache-limits.js';
import type { EventedDevice } from '../engine/evented-device.js';
import { flagsOfNull, JoinedExtents } from './chunk-extents.js';
import { chunkPieces, hasNull, type ChunkList, type ChunkPiece } from './chunk-pieces.js';
import type { ChunkTable } from './chunk-table.js';

/** What one session is served in place of its whole device. */
export interface ChunkView {
  readonly table: ChunkTable;
  readonly deviceBytes: number;
  /** Aborted when nothing more of the session may touch the device: what waits for its chunks fails. */
  readonly fenced: AbortSignal;
}

/**
 * The chunks that a map holds, one behind the other, as one device. Each request is carried out under one list, whole; it
 * does not begin while the list is held. A null entry reads as zeroes. Writing there is ENOSPC, which clients know how to wait
 * for, and then nothing of the request is written.
 */
export class ChunkDevice implements EventedDevice {
  readonly #device: EventedDevice;
  readonly #view: ChunkView;
  readonly #extents = new ExtentList();

  constructor(device: EventedDevice, view: ChunkView) {
    this.#device = device;
    this.#view = view;
  }

  /** What is in one place, and nobody holds. */
  readCached(address: number, length: number, offset: number): number {
    const { list, source } = this.#view.table;
    if (list === undefined) return Errno.EAGAIN;
    const { value: piece } = chunkPieces(source, list, offset, length).next() as { value?: ChunkPiece };
    if (piece?.at === undefined || piece.length !== length) return Errno.EAGAIN;
    return this.#device.readCached(address, length, piece.at);
  }

  read(into: NativeBuffer, start: number, length: number, offset: number): Promise<number> {
    return this.#inPieces(offset, length, (piece, done) => {
      if (piece.at !== undefined) return this.#device.read(into, start + done, piece.length, piece.at);
      into.bytes.fill(0, start + done, start + done + piece.length);
      return 0;
    });
  }

  write(
    from: NativeBuffer,
    start: number,
    length: number,
    offset: number,
    durable: boolean,
  ): Promise<number> {
    const put = (piece: ChunkPiece, done: number, isDurable: boolean) =>
      piece.at === undefined
        ? Errno.ENOSPC
        : this.#device.write(from, start + done, piece.length, piece.at, isDurable);
    return this.#change(offset, length, durable, true, put);
  }

  /** All of it is of one device, whatever the list says. */
  flush(): Promise<number> {
    return this.#device.flush();
  }

  cache(offset: number, length: number): Promise<number> {
    return this.#inPieces(offset, Math.min(length, CACHE_BYTES_MAX), ({ at, length: part }) =>
      at === undefined ? 0 : this.#device.cache(at, part),
    );
  }

  trim(offset: number, length: number, durable: boolean): Promise<number> {
    return this.#change(offset, length, durable, false, ({ at, length: part }, _done, isDurable) =>
      at === undefined ? 0 : this.#device.trim(at, part, isDurable),
    );
  }

  /** A null entry is zeroes already; it can only not be provisioned. */
  zero(offset: number, length: number, durable: boolean, noHole: boolean, fast: boolean): Promise<number> {
    return this.#change(offset, length, durable, noHole, ({ at, length: part }, _done, isDurable) =>
      at === undefined ? 0 : this.#device.zero(at, part, isDurable, noHole, fast),
    );
  }

  extents(
    context: string,
    _sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ): Promise<number> {
    return this.#use(async (list) => {
      const joined = new JoinedExtents(extents);
      for (const piece of chunkPieces(this.#view.table.source, list, offset, length)) {
        const errno = await this.#reportPiece(context, piece, joined);
        if (errno !== 0) return errno;
        if (joined.isFull) break;
      }
      joined.end();
      return 0;
    });
  }

  async #reportPiece(context: string, { at, length }: ChunkPiece, joined: JoinedExtents): Promise<number> {
    if (at === undefined) joined.add(length, flagsOfNull(context));
    else {
      for (let done = 0; done < length && !joined.isFull;) {
        const found = this.#extents;
        found.clear();
        const { deviceBytes } = this.#view;
        const errno = await this.#device.extents(context, deviceBytes, found, at + done, length - done);
        if (errno !== 0) return errno;
        for (let index = 0; index < found.count && done < length; index += 1) {
          // What the device has behind the piece is another entry's, or nobody's.
          const part = Math.min(found.lengthAt(index), length - done);
          joined.add(part, found.flagsLowAt(index));
          done += part;
        }
      }
    }
    return 0;
  }

  /** @param needsChunks nothing is done when a part of the range is null */
  #change(
    offset: number,
    length: number,
    durable: boolean,
    needsChunks: boolean,
    act: (piece: ChunkPiece, done: number, durable: boolean) => Promise<number> | number,
  ): Promise<number> {
    const { chunkBytes } = this.#view.table.source;
    return this.#use(async (list) => {
      if (needsChunks && hasNull(chunkBytes, list, offset, length)) return Errno.ENOSPC;
      // One flush for many pieces; one piece has its own means.
      const [first] = chunkPieces(this.#view.table.source, list, offset, length);
      const isWhole = first?.length === length;
      const errno = await this.#eachPiece(list, offset, length, (piece, done) =>
        act(piece, done, durable && isWhole),
      );
      return errno === 0 && durable && !isWhole ? this.#device.flush() : errno;
    });
  }

  #inPieces(
    offset: number,
    length: number,
    act: (piece: ChunkPiece, done: number) => Promise<number> | number,
  ): Promise<number> {
    return this.#use((list) => this.#eachPiece(list, offset, length, act));
  }

  /** One after the other, to the first that fails. */
  async #eachPiece(
    list: ChunkList,
    offset: number,
    length: number,
    act: (piece: ChunkPiece, done: number) => Promise<number> | number,
  ): Promise<number> {
    let done = 0;
    for (const piece of chunkPieces(this.#view.table.source, list, offset, length)) {
      const errno = await act(piece, done);
      if (errno !== 0) return errno;
      done += piece.length;
    }
    return 0;
  }

  async #use(act: (list: ChunkList) => Promise<number>): Promise<number> {
    return (await this.#view.table.use(this.#view.fenced, act)) ?? Errno.EIO;
  }
}
