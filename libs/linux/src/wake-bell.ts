import { checked, Errno } from './errno.js';
import { declare, lastErrno, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { OwnedFd } from './owned-fd.js';

const eventfd = declare<[initial: number, flags: number]>('int eventfd(unsigned int initval, int flags)');
const read = declare<[fd: number, address: number, length: number]>(
  'int read(int fd, size_t buf, size_t count)',
);
const write = declare<[fd: number, address: number, length: number]>(
  'int write(int fd, size_t buf, size_t count)',
);
const poll = declare<[fds: number, count: number, timeout: number]>(
  'int poll(size_t fds, unsigned long nfds, int timeout)',
);

// The same on x86-64 and aarch64 (asm-generic).
const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x8_0000;

/** What is added to the counter of an eventfd, and read from it. */
const counter = NativeBuffer.allocate(8);

/** Two `struct pollfd`, each with fd at 0, events at 4 and revents at 6. */
const pollCells = NativeBuffer.allocate(16);
const SOCKET_CELL = 0;
const BELL_CELL = 8;
const POLLIN = 1;

function fillPollCell(at: number, fd: number): void {
  const { view } = pollCells;
  view.setInt32(at, fd, true);
  view.setInt16(at + 4, POLLIN, true);
  view.setInt16(at + 6, 0, true);
}

/** Wakes a thread that waits in poll(2) for a socket, and does nothing to the socket (eventfd(2)). */
export class WakeBell implements Disposable {
  readonly #fd: OwnedFd;

  /** @throws SystemCallError EMFILE and the like */
  constructor() {
    this.#fd = new OwnedFd(checked('eventfd', resultOrErrno(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))));
  }

  /** The descriptor that the other thread waits for. */
  get number(): number {
    return this.#fd.number;
  }

  /** Rings until it is silenced. */
  ring(): void {
    counter.view.setBigUint64(0, 1n, true);
    const result = resultOrErrno(write(this.number, counter.address, 8));
    // EAGAIN: it has been rung 2^64 times, and rings.
    if (result !== -Errno.EAGAIN) checked('write', result, this.number);
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** Makes a bell quiet again, whether it rang or not. */
export function silenceBell(bell: number): void {
  read(bell, counter.address, 8);
}

/**
 * Waits without end until there is something to receive on a socket, the end of the stream too.
 *
 * @returns false when the bell rings, whatever has come
 */
export function waitReadableUnlessRung(socket: number, bell: number): boolean {
  const { view, address } = pollCells;
  for (;;) {
    fillPollCell(SOCKET_CELL, socket);
    fillPollCell(BELL_CELL, bell);
    if (poll(address, 2, -1) >= 0) return view.getInt16(BELL_CELL + 6, true) === 0;
    // Anything but a signal is for the receive that follows to report.
    if (lastErrno() !== Errno.EINTR) return true;
  }
}
