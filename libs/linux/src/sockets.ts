import { checked, Errno } from './errno.js';
import { declare, declareVariadic, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { OwnedFd } from './owned-fd.js';

const fcntl = declareVariadic('int fcntl(int fd, int cmd, ...)');
const poll = declare<[fds: number, count: number, timeoutMs: number]>(
  'int poll(size_t fds, unsigned long nfds, int timeout)',
);
const socketpair = declare<[domain: number, type: number, protocol: number, pair: number]>(
  'int socketpair(int domain, int type, int protocol, size_t sv)',
);

const F_GETFL = 3;
const F_SETFL = 4;
// The same on x86-64 and aarch64 (asm-generic), like all numbers here.
const O_NONBLOCK = 0x800;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x8_0000;

const POLLERR = 0x8;
const POLLHUP = 0x10;
const POLLNVAL = 0x20;
const POLLRDHUP = 0x2000;

/** One struct pollfd: fd at 0, events at 4, revents at 6; or the two descriptors of a socket pair. */
const scratch = NativeBuffer.allocate(8);

/**
 * Sets or clears O_NONBLOCK (fcntl(2)). The flag belongs to the open file: every duplicate, in every process, sees it.
 *
 * @throws SystemCallError
 */
export function setBlocking(fd: number, blocking: boolean): void {
  const flags = checked('fcntl', resultOrErrno(fcntl(fd, F_GETFL, 'int', 0)), fd);
  const wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted !== flags) checked('fcntl', resultOrErrno(fcntl(fd, F_SETFL, 'int', wanted)), fd);
}

/**
 * Whether the peer closed or shut its side, or the connection failed (poll(2): POLLRDHUP, POLLHUP, POLLERR). Looks
 * without waiting and reads nothing, so bytes that arrived before the end are still there.
 *
 * @throws SystemCallError EBADF when `fd` is not open
 */
export function hasHungUp(fd: number): boolean {
  return (look(fd) & (POLLRDHUP | POLLHUP | POLLERR)) !== 0;
}

/**
 * Whether nothing can be sent to the peer any more: both sides are shut, or the connection failed (poll(2): POLLHUP,
 * POLLERR). Not so of a peer that has shut its own side only, and may wait for answers.
 *
 * @throws SystemCallError EBADF when `fd` is not open
 */
export function isDisconnected(fd: number): boolean {
  return (look(fd) & (POLLHUP | POLLERR)) !== 0;
}

/** The events of a socket now. */
function look(fd: number): number {
  const { view, address } = scratch;
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLRDHUP, true);
  view.setInt16(6, 0, true);
  checked('poll', resultOrErrno(poll(address, 1, 0)), fd);
  const events = view.getInt16(6, true);
  if ((events & POLLNVAL) !== 0) checked('poll', -Errno.EBADF, fd);
  return events;
}

/** Two connected Unix stream sockets, blocking and close-on-exec (socketpair(2)). @throws SystemCallError */
export function socketPair(): [OwnedFd, OwnedFd] {
  checked('socketpair', resultOrErrno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, scratch.address)));
  return [new OwnedFd(scratch.view.getInt32(0, true)), new OwnedFd(scratch.view.getInt32(4, true))];
}
