import { checked, Errno } from '../errno.js';
import { declare, lastErrno } from '../libc.js';
import { sendmsg } from '../message-header.js';
import { NativeBuffer } from '../native-buffer.js';
import { OwnedFd } from '../owned-fd.js';
import type { MessageFrame } from './message-frame.js';

/* Calls on AF_UNIX sockets of type SOCK_SEQPACKET (unix(7)): connections whose messages keep their bounds. */

type Address = [fd: number, address: number, length: number];

const socket = declare<[domain: number, type: number, protocol: number]>(
  'int socket(int domain, int type, int protocol)',
);
const bind = declare<Address>('int bind(int sockfd, size_t addr, uint32_t addrlen)');
const connect = declare<Address>('int connect(int sockfd, size_t addr, uint32_t addrlen)');
const listen = declare<[fd: number, backlog: number]>('int listen(int sockfd, int backlog)');
const accept4 = declare<[fd: number, address: number, length: number, flags: number]>(
  'int accept4(int sockfd, size_t addr, size_t addrlen, int flags)',
);
const recvmsg = declare<[fd: number, message: number, flags: number]>(
  'int recvmsg(int sockfd, size_t msg, int flags)',
);

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
// The same on x86-64 and aarch64 (asm-generic).
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;

export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** struct sockaddr_un: sa_family_t, then 108 bytes of path, the last one its NUL. */
const PATH_BYTES_MAX = 107;
const FAMILY_BYTES = 2;
const sockaddr = NativeBuffer.allocate(FAMILY_BYTES + PATH_BYTES_MAX + 1);

/** Repeats a call that a signal interrupted: its result, or a negative errno. */
function settled(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** Fills the thread's sockaddr: its length in bytes, or a negative errno for what is no such path. */
function fillAddress(path: string): number {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0 || path.includes('\0')) return -Errno.EINVAL;
  if (bytes > PATH_BYTES_MAX) return -Errno.ENAMETOOLONG;
  sockaddr.bytes.fill(0);
  sockaddr.view.setUint16(0, AF_UNIX, true);
  sockaddr.bytes.write(path, FAMILY_BYTES);
  return FAMILY_BYTES + bytes + 1;
}

/** @throws SystemCallError from socket(2), EMFILE for one */
export function openSeqpacket(): OwnedFd {
  const fd = settled(() => socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return new OwnedFd(checked('socket', fd));
}

/** connect(2), never waiting: 0, or a negative errno; -EAGAIN when the listener's queue is full. */
export function connectTo(fd: number, path: string): number {
  const length = fillAddress(path);
  return length < 0 ? length : settled(() => connect(fd, sockaddr.address, length));
}

/** bind(2): 0, or a negative errno. The file that it makes has the mode that umask leaves. */
export function bindTo(fd: number, path: string): number {
  const length = fillAddress(path);
  return length < 0 ? length : settled(() => bind(fd, sockaddr.address, length));
}

/** listen(2): 0, or a negative errno. */
export function startListening(fd: number, backlog: number): number {
  return settled(() => listen(fd, backlog));
}

/** accept4(2), never waiting: a descriptor, or a negative errno; -EAGAIN when nobody waits. */
export function acceptPeer(fd: number): number {
  return settled(() => accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/** sendmsg(2), never waiting and never a signal: bytes sent, or a negative errno. */
export function sendMessage(fd: number, frame: MessageFrame): number {
  return settled(() => sendmsg(fd, frame.address, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/** recvmsg(2), never waiting, received descriptors close-on-exec: bytes received, or a negative errno. */
export function receiveMessage(fd: number, frame: MessageFrame): number {
  return settled(() => recvmsg(fd, frame.address, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
}
