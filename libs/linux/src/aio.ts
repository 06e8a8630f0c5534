import { assert } from '@holdfast/foundation';
import { Errno } from './errno.js';
import { declare, lastErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { storeInteger } from './scratch.js';

const syscall = declare<[number: number, a: number, b: number, c: number, d: number, e: number]>(
  'int64_t syscall(int64_t number, size_t a, size_t b, size_t c, size_t d, size_t e)',
);

interface Calls {
  readonly setup: number;
  readonly destroy: number;
  readonly getevents: number;
  readonly submit: number;
}

/** <asm/unistd.h>; libc has no functions for them. */
const callsOf: Readonly<Partial<Record<NodeJS.Architecture, Calls>>> = {
  x64: { setup: 206, destroy: 207, getevents: 208, submit: 209 },
  arm64: { setup: 0, destroy: 1, getevents: 4, submit: 2 },
};

/*
 * <linux/aio_abi.h>: struct iocb, 64 bytes { 0 aio_data  16 aio_lio_opcode  20 aio_fildes  24 aio_buf  32 aio_nbytes
 * 40 aio_offset }, all else 0; struct io_event, 32 bytes { 0 data  16 res }.
 */
const IOCB_BYTES = 64;
const EVENT_BYTES = 32;
const IOCB_CMD_PREAD = 0;

/**
 * Reads that are under way at once (io_submit(2)). On files that were opened with O_DIRECT the call does not wait for them;
 * on others it does. Each read has a slot, from 0 on; all are over before the next lot begins.
 */
export class AioContext implements Disposable {
  readonly slots: number;
  readonly #calls: Calls;
  readonly #context: number;
  /** The iocbs, their addresses, and room for events. */
  readonly #memory: NativeBuffer;
  readonly #view: DataView;
  readonly #pointers: number;
  readonly #events: number;
  /** Bytes read or a negative errno, by slot; NaN while under way. */
  readonly #results: Float64Array;
  #inFlight = 0;
  #isOpen = true;

  private constructor(calls: Calls, context: number, slots: number) {
    this.#calls = calls;
    this.#context = context;
    this.slots = slots;
    this.#pointers = slots * IOCB_BYTES;
    this.#events = this.#pointers + slots * 8;
    this.#memory = NativeBuffer.allocate(this.#events + slots * EVENT_BYTES);
    this.#view = this.#memory.view;
    this.#results = new Float64Array(slots);
    for (let slot = 0; slot < slots; slot += 1) {
      storeInteger(this.#view, this.#pointers + slot * 8, this.#memory.address + slot * IOCB_BYTES);
    }
  }

  /**
   * @param slots reads that may be under way at once
   * @returns a negative errno where it is refused: EAGAIN when fs.aio-max-nr is used up, ENOSYS or EPERM where a sandbox
   *   does not allow it
   */
  static open(slots: number): AioContext | number {
    const calls = callsOf[process.arch];
    if (calls === undefined) return -Errno.ENOSYS;
    using cell = NativeBuffer.allocate(8);
    if (syscall(calls.setup, slots, cell.address, 0, 0, 0) !== 0) return -lastErrno();
    return new AioContext(calls, Number(cell.view.getBigUint64(0, true)), slots);
  }

  /** Reads that are not over. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Says what a slot is to read; `address` is native memory that stays valid until the read is over. */
  prepare(slot: number, fd: number, address: number, length: number, offset: number): void {
    const at = slot * IOCB_BYTES;
    storeInteger(this.#view, at, slot);
    this.#view.setUint16(at + 16, IOCB_CMD_PREAD, true);
    this.#view.setInt32(at + 20, fd, true);
    storeInteger(this.#view, at + 24, address);
    storeInteger(this.#view, at + 32, length);
    storeInteger(this.#view, at + 40, offset);
  }

  /** Begins the reads of slots 0 to `count` − 1. Those that the kernel does not take have its errno as their result. */
  submit(count: number): void {
    assert(this.#inFlight === 0, 'reads are begun when all before are over');
    let taken = 0;
    while (taken < count) {
      const pointers = this.#memory.address + this.#pointers + taken * 8;
      const more = syscall(this.#calls.submit, this.#context, count - taken, pointers, 0, 0);
      if (more <= 0) break;
      this.#results.fill(NaN, taken, taken + more);
      taken += more;
    }
    if (taken < count) this.#results.fill(-(lastErrno() || Errno.EAGAIN), taken, count);
    this.#inFlight = taken;
  }

  /** Waits until the read of a slot is over. @returns bytes read, or a negative errno */
  result(slot: number): number {
    for (;;) {
      const result = this.#results[slot] ?? -Errno.EINVAL;
      if (!Number.isNaN(result)) return result;
      this.#reap();
    }
  }

  /** Waits until every read is over. */
  settle(): void {
    while (this.#inFlight > 0) this.#reap();
  }

  /** Waits for the reads that are under way, and gives everything back. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.settle();
    this.#isOpen = false;
    syscall(this.#calls.destroy, this.#context, 0, 0, 0, 0);
    this.#memory.dispose();
  }

  /** Takes at least one event. */
  #reap(): void {
    const events = this.#memory.address + this.#events;
    const count = syscall(this.#calls.getevents, this.#context, 1, this.#inFlight, events, 0);
    if (count < 0) {
      assert(lastErrno() === Errno.EINTR, 'io_getevents fails for no other reason');
      return;
    }
    for (let event = 0; event < count; event += 1) {
      const at = this.#events + event * EVENT_BYTES;
      const slot = this.#view.getUint32(at, true);
      this.#results[slot] = Number(this.#view.getBigInt64(at + 16, true));
    }
    this.#inFlight -= count;
  }
}
