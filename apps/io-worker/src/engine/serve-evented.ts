import { fdatasync, read, write } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Errno, type NativeBuffer } from '@holdfast/linux';
import { Step, TransmissionMachine, type TransmissionFacts } from '@holdfast/nbd-protocol';
import { DeviceIo, NO_WAIT_LENGTH_MAX } from './device-io.js';
import type { EndReason } from './engine.js';
import type { SessionControl } from './session-control.js';
import { SocketReader } from './socket-reader.js';
import { zeroBuffer } from './zero-writer.js';

const SEND_THRESHOLD = 64 * 1024;

/** Requests answered in a row without waiting for anything, before other sessions get their turn. */
const TURN_STEPS = 256;

export interface EventedSession {
  readonly socket: Socket;
  readonly device: number;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  readonly input: NativeBuffer;
  readonly output: NativeBuffer;
}

/** Serves one session on the event loop: what may wait goes to libuv's pool, reads from the page cache do not. */
export async function serveEvented(session: EventedSession): Promise<EndReason> {
  const { control, input, output, socket } = session;
  const reader = new SocketReader(socket);
  const device = new DeviceIo(session.device);
  const machine = new TransmissionMachine(
    session.facts,
    { input: input.bytes, output: output.bytes },
    { transferMinimum: Infinity, sendThreshold: SEND_THRESHOLD },
  );
  machine.preload(session.preload);

  for (let steps = 1; ; steps++) {
    if (steps % TURN_STEPS === 0) await nextTurn();
    switch (machine.next()) {
      case Step.read: {
        const { bufferOffset, length, fileOffset } = machine;
        const cached =
          length < NO_WAIT_LENGTH_MAX &&
          device.readCached(output.address + bufferOffset, length, fileOffset) === 0;
        machine.completed(
          cached ? 0 : await readWhole(session.device, output.bytes, bufferOffset, length, fileOffset),
        );
        break;
      }
      case Step.write: {
        if (control.fenced) return 'fenced';
        const { bufferOffset, length, fileOffset, durable } = machine;
        const errno = await writeWhole(session.device, input.bytes, bufferOffset, length, fileOffset);
        machine.completed(errno === 0 && durable === 1 ? await flush(session.device) : errno);
        break;
      }
      case Step.receive:
        if (control.fenced) return 'fenced';
        control.publish(machine.counters);
        if (control.stopping) machine.beginShutdown();
        machine.received(await reader.readInto(input.bytes, machine.inputOffset, machine.inputLength));
        break;
      case Step.send: {
        const { outputOffset, outputLength } = machine;
        // The buffer is lent until the callback: nothing is decoded into it meanwhile.
        if (!(await send(socket, output.bytes.subarray(outputOffset, outputOffset + outputLength)))) {
          return finish(machine, control, 'end-of-stream');
        }
        machine.sent();
        break;
      }
      case Step.flush:
        machine.completed(await flush(session.device));
        break;
      case Step.trim: {
        if (control.fenced) return 'fenced';
        const { fileOffset, length, durable } = machine;
        const errno = device.trim(fileOffset, length, false);
        machine.completed(errno === 0 && durable === 1 ? await flush(session.device) : errno);
        break;
      }
      case Step.zero: {
        if (control.fenced) return 'fenced';
        const { fileOffset, length, durable, noHole } = machine;
        const punched = device.zero(fileOffset, length, false, noHole === 1);
        const errno =
          punched === Errno.EOPNOTSUPP ? await writeZeroes(session.device, fileOffset, length) : punched;
        machine.completed(errno === 0 && durable === 1 ? await flush(session.device) : errno);
        break;
      }
      case Step.transfer:
        throw new Error('transfer is switched off for the event loop');
      case Step.close:
        return finish(machine, control, machine.closeReason ?? 'internal-error');
    }
  }
}

function finish(machine: TransmissionMachine, control: SessionControl, reason: EndReason): EndReason {
  control.publish(machine.counters);
  return reason;
}

/** The errno of a failed fs call: Node's errors carry it negated. */
function errnoOf(error: NodeJS.ErrnoException): number {
  return error.errno === undefined ? Errno.EIO : -error.errno;
}

async function readWhole(
  fd: number,
  into: Uint8Array,
  at: number,
  length: number,
  offset: number,
): Promise<number> {
  for (let done = 0; done < length;) {
    const got = await new Promise<number>((resolve) => {
      read(fd, into, at + done, length - done, offset + done, (error, bytes) => {
        resolve(error === null ? bytes : -errnoOf(error));
      });
    });
    if (got < 0) return -got;
    if (got === 0) return Errno.EIO;
    done += got;
  }
  return 0;
}

async function writeWhole(
  fd: number,
  from: Uint8Array,
  at: number,
  length: number,
  offset: number,
): Promise<number> {
  for (let done = 0; done < length;) {
    const put = await new Promise<number>((resolve) => {
      write(fd, from, at + done, length - done, offset + done, (error, bytes) => {
        resolve(error === null ? bytes : -errnoOf(error));
      });
    });
    if (put < 0) return -put;
    if (put === 0) return Errno.EIO;
    done += put;
  }
  return 0;
}

async function writeZeroes(fd: number, offset: number, length: number): Promise<number> {
  const zeroes = zeroBuffer();
  for (let done = 0; done < length; done += zeroes.length) {
    const piece = Math.min(zeroes.length, length - done);
    const errno = await writeWhole(fd, zeroes.bytes, 0, piece, offset + done);
    if (errno !== 0) return errno;
  }
  return 0;
}

function flush(fd: number): Promise<number> {
  return new Promise((resolve) => {
    fdatasync(fd, (error) => {
      resolve(error === null ? 0 : errnoOf(error));
    });
  });
}

function send(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write(bytes, (error) => {
      resolve(error === null || error === undefined);
    });
  });
}
