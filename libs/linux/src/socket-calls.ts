import { Errno } from './errno.js';
import { declare, lastErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { offsetCell } from './scratch.js';

/*
 * Calls on connected sockets for the hot path: plain numbers in, n ≥ 0 or a negative errno out, nothing allocated,
 * EINTR repeated inside. Whether they block is up to the open file (see `setBlocking`) and MessageFlag.DONTWAIT.
 */

type Transfer = [fd: number, address: number, length: number, flags: number];

const recv = declare<Transfer>('int recv(int sockfd, size_t buf, size_t len, int flags)');
const send = declare<Transfer>('int send(int sockfd, size_t buf, size_t len, int flags)');
const sendfile = declare<[out: number, from: number, offset: number, count: number]>(
  'int sendfile(int out_fd, int in_fd, size_t offset, size_t count)',
);
const shutdown = declare<[fd: number, how: number]>('int shutdown(int sockfd, int how)');

const poll = declare<[fds: number, count: number, timeout: number]>(
  'int poll(size_t fds, unsigned long nfds, int timeout)',
);

/** One `struct pollfd`. */
const pollCell = NativeBuffer.allocate(8);
const POLLIN = 1;

/** Flags of recv(2) and send(2); combine with `|`. */
export const MessageFlag = {
  NONE: 0,
  PEEK: 0x2,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  WAITALL: 0x100,
  NOSIGNAL: 0x4000,
  MORE: 0x8000,
} as const;

/** Which direction shutdown(2) ends. */
export const ShutdownHow = { READ: 0, WRITE: 1, BOTH: 2 } as const;
export type ShutdownHow = (typeof ShutdownHow)[keyof typeof ShutdownHow];

/** recv(2); 0 when the peer has finished sending. */
export function receive(fd: number, address: number, length: number, flags: number): number {
  for (;;) {
    const count = recv(fd, address, length, flags);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** poll(2): whether there is something to receive, the end of the stream too, within a time in milliseconds. */
export function waitReadable(fd: number, waitMs: number): boolean {
  const deadline = performance.now() + waitMs;
  for (;;) {
    pollCell.view.setInt32(0, fd, true);
    pollCell.view.setInt16(4, POLLIN, true);
    pollCell.view.setInt16(6, 0, true);
    const left = Math.max(0, Math.ceil(deadline - performance.now()));
    const found = poll(pollCell.address, 1, left);
    if (found >= 0) return found > 0;
    // Anything but a signal is for the receive that follows to report.
    if (lastErrno() !== Errno.EINTR) return true;
  }
}

/** send(2), always with MSG_NOSIGNAL: a peer that is gone is -EPIPE and never a signal. */
export function sendBytes(fd: number, address: number, length: number, flags: number): number {
  for (;;) {
    const count = send(fd, address, length, flags | MessageFlag.NOSIGNAL);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/**
 * sendfile(2) from `fileOffset`; the file's own offset is left alone. 0 at the end of the file. What is queued are
 * references to pages, so a later write to the range may show in the bytes that arrive.
 */
export function sendFile(socketFd: number, fileFd: number, fileOffset: number, length: number): number {
  for (;;) {
    const count = sendfile(socketFd, fileFd, offsetCell(fileOffset), length);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** shutdown(2): 0, or a negative errno. Wakes a thread that blocks in `receive` on the same socket. */
export function shutdownSocket(fd: number, how: ShutdownHow): number {
  return shutdown(fd, how) === 0 ? 0 : -lastErrno();
}
