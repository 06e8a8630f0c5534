import {
  Errno,
  isUnixSocket,
  MessageFlag,
  type NativeBuffer,
  receive,
  sendBytes,
  sendFile,
} from '@holdfast/linux';
import {
  SIMPLE_REPLY_BYTES,
  Step,
  TransmissionMachine,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import { DeviceIo, NO_WAIT_LENGTH_MAX } from './device-io.js';
import type { EndReason } from './engine.js';
import type { SessionControl } from './session-control.js';

/** Receives tried without waiting before the thread sleeps: a client's next request is often microseconds away. */
const SPINS = 100;

/**
 * READs from here on go from the page cache to a Unix socket by sendfile(2), without a copy through this process. On TCP
 * that gains nothing: whoever touches the data first waits for memory, and there it is better the server than the client.
 */
const TRANSFER_MINIMUM = 32 * 1024;

/** Replies are sent at the latest when this many bytes are queued. */
const SEND_THRESHOLD = 256 * 1024;

/**
 * Replies begin here in the output buffer, so that the data of the first lies on a page boundary: the kernel copies a
 * large READ into the buffer and out of it a fifth faster than when it lies 16 bytes beside.
 */
export const REPLIES_START = 4096 - SIMPLE_REPLY_BYTES;

/** What sends report when the peer is gone (send(2), tcp(7)). */
const connectionErrors: readonly number[] = [Errno.EPIPE, Errno.ECONNRESET, Errno.ENOTCONN, Errno.ETIMEDOUT];

export interface BlockingSession {
  readonly socket: number;
  readonly device: number;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  readonly input: NativeBuffer;
  /** Page-aligned, longer than {@link REPLIES_START}. */
  readonly output: NativeBuffer;
}

/** Serves one session on this thread with blocking system calls, to its end. */
export function serveBlocking(session: BlockingSession): EndReason {
  const { socket, control } = session;
  // Read once: a buffer checks at every access that it was not disposed.
  const inputAddress = session.input.address;
  const outputAddress = session.output.address + REPLIES_START;
  const device = new DeviceIo(session.device);
  const machine = new TransmissionMachine(
    session.facts,
    { input: session.input.bytes, output: session.output.bytes.subarray(REPLIES_START) },
    { transferMinimum: isUnixSocket(socket) ? TRANSFER_MINIMUM : Infinity, sendThreshold: SEND_THRESHOLD },
  );
  const readAhead = (offset: number, length: number) => {
    device.readAhead(offset, length);
  };
  machine.preload(session.preload);

  for (;;) {
    switch (machine.next()) {
      case Step.read: {
        const address = outputAddress + machine.bufferOffset;
        const { length, fileOffset } = machine;
        if (length < NO_WAIT_LENGTH_MAX) {
          if (device.readCached(address, length, fileOffset) === 0) {
            machine.completed(0);
            break;
          }
          device.readAhead(fileOffset, length);
          machine.forEachQueuedRead(readAhead);
        }
        machine.completed(device.read(address, length, fileOffset));
        break;
      }
      case Step.write:
        if (control.fenced) return 'fenced';
        machine.completed(
          device.write(
            inputAddress + machine.bufferOffset,
            machine.length,
            machine.fileOffset,
            machine.durable === 1,
          ),
        );
        break;
      case Step.receive:
        if (control.fenced) return 'fenced';
        control.publish(machine.counters);
        machine.received(receiveSome(socket, inputAddress + machine.inputOffset, machine.inputLength));
        // Asked after the wait, which may have been long: what came meanwhile is new (T16).
        if (control.stopping) machine.beginShutdown();
        break;
      case Step.send:
        if (
          !sendAll(socket, outputAddress + machine.outputOffset, machine.outputLength, machine.more === 1)
        ) {
          return finish(machine, control, 'end-of-stream');
        }
        machine.sent();
        break;
      case Step.transfer: {
        const errno = transfer(socket, session.device, machine.fileOffset, machine.length);
        // sendfile(2) reports both of its ends: a client that left is no failure of the device.
        if (connectionErrors.includes(errno)) return finish(machine, control, 'end-of-stream');
        machine.completed(errno);
        break;
      }
      case Step.flush:
        machine.completed(device.flush());
        break;
      case Step.trim:
        if (control.fenced) return 'fenced';
        machine.completed(device.trim(machine.fileOffset, machine.length, machine.durable === 1));
        break;
      case Step.zero:
        if (control.fenced) return 'fenced';
        machine.completed(
          device.zero(machine.fileOffset, machine.length, machine.durable === 1, machine.noHole === 1),
        );
        break;
      case Step.close:
        return finish(machine, control, machine.closeReason ?? 'internal-error');
    }
  }
}

function finish(machine: TransmissionMachine, control: SessionControl, reason: EndReason): EndReason {
  control.publish(machine.counters);
  return reason;
}

/** Bytes received, or 0 when the connection is over in whatever way. */
function receiveSome(socket: number, address: number, length: number): number {
  for (let spin = 0; spin < SPINS; spin++) {
    const got = receive(socket, address, length, MessageFlag.DONTWAIT);
    if (got >= 0) return got;
    if (got !== -Errno.EAGAIN) return 0;
  }
  return Math.max(0, receive(socket, address, length, 0));
}

function sendAll(socket: number, address: number, length: number, more: boolean): boolean {
  const flags = more ? MessageFlag.MORE : 0;
  for (let done = 0; done < length;) {
    const put = sendBytes(socket, address + done, length - done, flags);
    if (put <= 0) return false;
    done += put;
  }
  return true;
}

function transfer(socket: number, device: number, offset: number, length: number): number {
  for (let done = 0; done < length;) {
    const put = sendFile(socket, device, offset + done, length - done);
    if (put < 0) return -put;
    if (put === 0) return Errno.EIO;
    done += put;
  }
  return 0;
}
