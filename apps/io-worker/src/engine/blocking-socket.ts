import {
  Errno,
  MessageFlag,
  receive,
  sendBytes,
  sendFile,
  waitReadable,
  waitReadableUnlessRung,
} from '@holdfast/linux';
import type { TransmissionMachine } from '@holdfast/nbd-protocol';
import type { Spin } from './spin.js';

/** What sends report when the peer is gone (send(2), tcp(7)). */
const connectionErrors: readonly number[] = [Errno.EPIPE, Errno.ECONNRESET, Errno.ENOTCONN, Errno.ETIMEDOUT];

/** Bytes received, or 0 when the connection is over in whatever way. Spins for them before it sleeps. */
export function receiveSome(socket: number, address: number, length: number, spin: Spin): number {
  const got = receiveSpinning(socket, address, length, spin);
  if (got !== undefined) return got;
  spin.sleep();
  const count = receive(socket, address, length, 0);
  spin.wake();
  return Math.max(0, count);
}

/** As {@link receiveSome}, or undefined when the bell was rung before anything came. */
export function receiveUnlessRung(
  socket: number,
  bell: number,
  address: number,
  length: number,
  spin: Spin,
): number | undefined {
  for (;;) {
    const got = receiveSpinning(socket, address, length, spin);
    if (got !== undefined) return got;
    spin.sleep();
    const isReadable = waitReadableUnlessRung(socket, bell);
    spin.wake();
    if (!isReadable) return undefined;
  }
}

/** Undefined when nothing has come yet. */
function receiveSpinning(socket: number, address: number, length: number, spin: Spin): number | undefined {
  const tries = spin.tries;
  for (let left = tries; left > 0; left--) {
    const got = receive(socket, address, length, MessageFlag.DONTWAIT);
    if (got >= 0) {
      spin.paid(left === tries);
      return got;
    }
    if (got !== -Errno.EAGAIN) return 0;
  }
  return undefined;
}

/** Bytes received, 0 when the connection is over, or undefined when nothing came for `waitMs`. */
export function receiveWithin(
  socket: number,
  address: number,
  length: number,
  waitMs: number,
  spin: Spin,
): number | undefined {
  return waitReadable(socket, waitMs) ? receiveSome(socket, address, length, spin) : undefined;
}

/** Whether everything was sent. */
export function sendAll(socket: number, address: number, length: number, more: boolean): boolean {
  const flags = more ? MessageFlag.MORE : 0;
  for (let done = 0; done < length;) {
    const put = sendBytes(socket, address + done, length - done, flags);
    if (put <= 0) return false;
    done += put;
  }
  return true;
}

/**
 * Takes the machine's transfer and reports it. sendfile(2) reports both of its ends: a client that has left is no failure
 * of the device, and not reported.
 *
 * @returns whether the client is still there
 */
export function transfer(machine: TransmissionMachine, socket: number, device: number): boolean {
  const { fileOffset, length } = machine;
  let errno = 0;
  let done = 0;
  while (done < length && errno === 0) {
    const put = sendFile(socket, device, fileOffset + done, length - done);
    if (put > 0) done += put;
    else errno = put === 0 ? Errno.EIO : -put;
  }
  if (connectionErrors.includes(errno)) return false;
  machine.transferred(done, errno);
  return true;
}
