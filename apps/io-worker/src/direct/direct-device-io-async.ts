import { copyMemory, Errno, readAtAsync, type NativeBuffer } from '@holdfast/linux';
import { AsyncDeviceIo } from '../engine/device-io-async.js';
import type { DirectAccount } from '../pins/session-pins.js';
import { BlockLock } from './block-lock.js';
import { withLoopBounce } from './bounce-buffers.js';
import { hasHead, hasTail, isAligned, nextPiece, type BouncePiece } from './bounce-piece.js';
import type { DirectAccess } from './direct-access.js';

/** As `DirectDeviceIo`, off the event loop. */
export class AsyncDirectDeviceIo extends AsyncDeviceIo {
  readonly #fd: number;
  readonly #access: DirectAccess;
  readonly #lock: BlockLock;
  readonly #pins: DirectAccount;

  constructor(fd: number, access: DirectAccess, pins: DirectAccount) {
    super(fd, pins);
    this.#fd = fd;
    this.#access = access;
    this.#lock = new BlockLock(access.lock);
    this.#pins = pins;
  }

  override readCached(): number {
    return Errno.EAGAIN;
  }

  override cache(): Promise<number> {
    return Promise.resolve(0);
  }

  override async read(into: NativeBuffer, start: number, length: number, offset: number): Promise<number> {
    const { alignment } = this.#access;
    if (isAligned(alignment, into.address + start, length, offset)) {
      return this.#readBlocks(into, start, length, offset);
    }
    return withLoopBounce(async (bounce) => {
      for (let done = 0; done < length;) {
        const piece = nextPiece(alignment, offset + done, length - done, bounce.length);
        const errno = await this.#pinned(piece, async () => {
          const failed = await this.#readBlocks(
            bounce,
            0,
            piece.length,
            piece.offset,
            piece.skip + piece.count,
          );
          if (failed === 0) {
            copyMemory(into.address + start + done, bounce.address + piece.skip, piece.count);
          }
          return failed;
        });
        if (errno !== 0) return errno;
        done += piece.count;
      }
      return 0;
    });
  }

  override async write(
    from: NativeBuffer,
    start: number,
    length: number,
    offset: number,
    durable: boolean,
  ): Promise<number> {
    const { alignment } = this.#access;
    if (isAligned(alignment, from.address + start, length, offset)) {
      return this.#locked(offset, length, false, () => super.write(from, start, length, offset, durable));
    }
    return withLoopBounce(async (bounce) => {
      for (let done = 0; done < length;) {
        const piece = nextPiece(alignment, offset + done, length - done, bounce.length);
        const address = from.address + start + done;
        const errno = await this.#pinned(piece, () => this.#writePiece(bounce, piece, address, durable));
        if (errno !== 0) return errno;
        done += piece.count;
      }
      return 0;
    });
  }

  protected override punch(offset: number, length: number): Promise<number> {
    return this.#locked(offset, length, false, () => super.punch(offset, length));
  }

  protected override zeroInPlace(offset: number, length: number): Promise<number> {
    return this.#locked(offset, length, false, () => super.zeroInPlace(offset, length));
  }

  #writePiece(bounce: NativeBuffer, piece: BouncePiece, from: number, durable: boolean): Promise<number> {
    const { offset, length, skip, count } = piece;
    return this.#locked(offset, length, hasHead(piece) || hasTail(piece), async () => {
      const failed = await this.#readEdges(bounce, piece);
      if (failed !== 0) return failed;
      copyMemory(bounce.address + skip, from, count);
      return super.write(bounce, 0, length, offset, durable);
    });
  }

  async #readEdges(bounce: NativeBuffer, piece: BouncePiece): Promise<number> {
    const block = this.#access.alignment.offsetBytes;
    const last = piece.length - block;
    if (hasHead(piece) || (last === 0 && hasTail(piece))) {
      const errno = await this.#readBlocks(bounce, 0, block, piece.offset);
      if (errno !== 0) return errno;
    }
    if (last === 0 || !hasTail(piece)) return 0;
    return this.#readBlocks(bounce, last, block, piece.offset + last);
  }

  /** As `DirectDeviceIo` does. */
  async #readBlocks(
    into: NativeBuffer,
    start: number,
    length: number,
    offset: number,
    needed = length,
  ): Promise<number> {
    const { offsetBytes } = this.#access.alignment;
    for (let done = 0; done < needed;) {
      const got = await readAtAsync(this.#fd, into, start + done, length - done, offset + done);
      if (got < 0) return -got;
      done += got;
      if (done < needed && (got === 0 || got % offsetBytes !== 0)) return Errno.EIO;
    }
    return 0;
  }

  async #pinned({ length }: BouncePiece, act: () => Promise<number>): Promise<number> {
    const request = this.#pins.beginBounce(length);
    try {
      return await act();
    } finally {
      this.#pins.endBounce(request);
    }
  }

  async #locked(
    offset: number,
    length: number,
    alone: boolean,
    change: () => Promise<number>,
  ): Promise<number> {
    const range = await this.#lock.takeOnLoop(offset, length, alone);
    try {
      return await change();
    } finally {
      this.#lock.release(range);
    }
  }
}
