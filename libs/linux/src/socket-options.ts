import { checked, Errno } from './errno.js';
import { declare, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';

/* Socket options (getsockopt(2)); their numbers are the same on x86-64 and aarch64 (asm-generic). */

type SocketOption = [fd: number, level: number, option: number, value: number, length: number];

const getsockopt = declare<SocketOption>(
  'int getsockopt(int sockfd, int level, int optname, size_t optval, size_t optlen)',
);
const setsockopt = declare<SocketOption>(
  'int setsockopt(int sockfd, int level, int optname, size_t optval, uint32_t optlen)',
);

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_PEERCRED = 17;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_DOMAIN = 39;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;

const AF_UNIX = 1;

const INT_BYTES = 4;
/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;
/** The option's value stands at 0, its length (socklen_t) behind it. */
const LENGTH_AT = UCRED_BYTES;
const scratch = NativeBuffer.allocate(LENGTH_AT + INT_BYTES);

/** Who was at the other end when the connection was made (SO_PEERCRED, unix(7)). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

function readOption(fd: number, level: number, option: number, length: number): DataView {
  const { view, address } = scratch;
  view.setUint32(LENGTH_AT, length, true);
  checked('getsockopt', resultOrErrno(getsockopt(fd, level, option, address, address + LENGTH_AT)), fd);
  return view;
}

/** setsockopt(2) of an `int` option: 0, or a negative errno. */
function writeOption(fd: number, level: number, option: number, value: number): number {
  scratch.view.setInt32(0, value, true);
  return resultOrErrno(setsockopt(fd, level, option, scratch.address, INT_BYTES));
}

/**
 * The peer of a connected Unix socket. For any other socket, TCP for one, the kernel answers with pid 0 and with
 * uid and gid 2^32−1, which are nobody's.
 *
 * @throws SystemCallError when `fd` is no socket
 */
export function peerCredentials(fd: number): PeerCredentials {
  const view = readOption(fd, SOL_SOCKET, SO_PEERCRED, UCRED_BYTES);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}

/** True of a Unix socket, false of any other (SO_DOMAIN, socket(7)). @throws SystemCallError when `fd` is no socket */
export function isUnixSocket(fd: number): boolean {
  return readOption(fd, SOL_SOCKET, SO_DOMAIN, INT_BYTES).getInt32(0, true) === AF_UNIX;
}

function setBuffer(fd: number, bytes: number, forced: number, plain: number): number {
  // FORCE goes beyond net.core.[rw]mem_max and needs CAP_NET_ADMIN; the plain option is capped there in silence.
  const force = writeOption(fd, SOL_SOCKET, forced, bytes);
  const result = force === -Errno.EPERM ? writeOption(fd, SOL_SOCKET, plain, bytes) : force;
  checked('setsockopt', result, fd);
  return readOption(fd, SOL_SOCKET, plain, INT_BYTES).getInt32(0, true);
}

/**
 * Asks for a send buffer of `bytes` (SO_SNDBUF, socket(7)).
 *
 * @returns what the kernel granted, in bytes: twice the request, or less where a limit of the system caps it
 * @throws SystemCallError
 */
export function setSendBuffer(fd: number, bytes: number): number {
  return setBuffer(fd, bytes, SO_SNDBUFFORCE, SO_SNDBUF);
}

/** Asks for a receive buffer of `bytes` (SO_RCVBUF); returns and throws as {@link setSendBuffer}. */
export function setReceiveBuffer(fd: number, bytes: number): number {
  return setBuffer(fd, bytes, SO_RCVBUFFORCE, SO_RCVBUF);
}

/** TCP_NODELAY (tcp(7)): small segments leave at once. @throws SystemCallError when it is no TCP socket */
export function setNoDelay(fd: number, enabled = true): void {
  checked('setsockopt', writeOption(fd, IPPROTO_TCP, TCP_NODELAY, enabled ? 1 : 0), fd);
}

/** When a silent TCP peer is probed and given up. */
export interface KeepAlive {
  /** Seconds of silence before the first probe. */
  readonly idleS: number;
  /** Seconds between probes. */
  readonly intervalS: number;
  /** Unanswered probes after which the connection ends. */
  readonly count: number;
}

/** Turns keep-alive on (SO_KEEPALIVE, tcp(7)). @throws SystemCallError when it is no TCP socket */
export function setKeepAlive(fd: number, { idleS, intervalS, count }: KeepAlive): void {
  checked('setsockopt', writeOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, idleS), fd);
  checked('setsockopt', writeOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, intervalS), fd);
  checked('setsockopt', writeOption(fd, IPPROTO_TCP, TCP_KEEPCNT, count), fd);
  checked('setsockopt', writeOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1), fd);
}
