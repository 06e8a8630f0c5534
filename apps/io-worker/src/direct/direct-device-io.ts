import { copyMemory, Errno, readAt, type NativeBuffer } from '@holdfast/linux';
import { DeviceIo } from '../engine/device-io.js';
import type { DirectAccount } from '../pins/session-pins.js';
import { BlockLock } from './block-lock.js';
import { threadBounce } from './bounce-buffers.js';
import { hasHead, hasTail, isAligned, nextPiece, type BouncePiece } from './bounce-piece.js';
import type { DirectAccess } from './direct-access.js';

/**
 * Blocking access to a device past the page cache. What is aligned goes straight from and to its buffer; the rest by way
 * of an aligned one, and a block that is written in part is read before.
 */
export class DirectDeviceIo extends DeviceIo {
  readonly #fd: number;
  readonly #access: DirectAccess;
  readonly #lock: BlockLock;
  readonly #pins: DirectAccount;

  /** @param held where this thread notes what it has locked */
  constructor(fd: number, access: DirectAccess, pins: DirectAccount, held: SharedArrayBuffer) {
    super(fd, pins);
    this.#fd = fd;
    this.#access = access;
    this.#lock = new BlockLock(access.lock, held);
    this.#pins = pins;
  }

  /** Nothing is cached, so every read waits. */
  override get tellsWaits(): boolean {
    return false;
  }

  /** What would be read ahead would go to the page cache, where nobody looks. */
  override readAhead(): void {
    return;
  }

  /** CACHE is a hint (spec, NBD_CMD_CACHE). */
  override cache(): number {
    return 0;
  }

  override read(address: number, length: number, offset: number): number {
    const { alignment } = this.#access;
    if (isAligned(alignment, address, length, offset)) return this.#readBlocks(address, length, offset);
    const bounce = threadBounce();
    for (let done = 0; done < length;) {
      const piece = nextPiece(alignment, offset + done, length - done, bounce.length);
      const request = this.#pins.beginBounce(piece.length);
      const errno = this.#readBlocks(bounce.address, piece.length, piece.offset, piece.skip + piece.count);
      if (errno === 0) copyMemory(address + done, bounce.address + piece.skip, piece.count);
      this.#pins.endBounce(request);
      if (errno !== 0) return errno;
      done += piece.count;
    }
    return 0;
  }

  override write(address: number, length: number, offset: number, durable: boolean): number {
    const { alignment } = this.#access;
    if (isAligned(alignment, address, length, offset)) {
      return this.#locked(offset, length, false, () => super.write(address, length, offset, durable));
    }
    const bounce = threadBounce();
    for (let done = 0; done < length;) {
      const piece = nextPiece(alignment, offset + done, length - done, bounce.length);
      const errno = this.#writePiece(bounce, piece, address + done, durable);
      if (errno !== 0) return errno;
      done += piece.count;
    }
    return 0;
  }

  protected override punch(offset: number, length: number): number {
    return this.#locked(offset, length, false, () => super.punch(offset, length));
  }

  protected override zeroInPlace(offset: number, length: number): number {
    return this.#locked(offset, length, false, () => super.zeroInPlace(offset, length));
  }

  /** Writes whole blocks, of which those in part are as they were but for the bytes of the piece. */
  #writePiece(bounce: NativeBuffer, piece: BouncePiece, from: number, durable: boolean): number {
    const { offset, length, skip, count } = piece;
    const request = this.#pins.beginBounce(length);
    const errno = this.#locked(offset, length, hasHead(piece) || hasTail(piece), () => {
      const failed = this.#readEdges(bounce, piece);
      if (failed !== 0) return failed;
      copyMemory(bounce.address + skip, from, count);
      return super.write(bounce.address, length, offset, durable);
    });
    this.#pins.endBounce(request);
    return errno;
  }

  #readEdges(bounce: NativeBuffer, piece: BouncePiece): number {
    const block = this.#access.alignment.offsetBytes;
    const last = piece.length - block;
    if (hasHead(piece) || (last === 0 && hasTail(piece))) {
      const errno = this.#readBlocks(bounce.address, block, piece.offset);
      if (errno !== 0) return errno;
    }
    if (last === 0 || !hasTail(piece)) return 0;
    return this.#readBlocks(bounce.address + last, block, piece.offset + last);
  }

  /**
   * Reads whole blocks.
   *
   * @param needed as much must be there: the last block of a file may not be whole
   */
  #readBlocks(address: number, length: number, offset: number, needed = length): number {
    const { offsetBytes } = this.#access.alignment;
    for (let done = 0; done < needed;) {
      const got = readAt(this.#fd, address + done, length - done, offset + done);
      if (got < 0) return -got;
      done += got;
      // Cut short behind our back, as in DeviceIo: only there does a read end within a block.
      if (done < needed && (got === 0 || got % offsetBytes !== 0)) return Errno.EIO;
    }
    return 0;
  }

  #locked(offset: number, length: number, alone: boolean, change: () => number): number {
    const range = this.#lock.take(offset, length, alone);
    try {
      return change();
    } finally {
      this.#lock.release(range);
    }
  }
}
