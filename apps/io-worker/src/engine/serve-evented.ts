import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HANDOFF_PAYLOAD_MAX, isDisconnected, type NativeBuffer } from '@holdfast/linux';
import {
  INPUT_BYTES_MIN,
  PAYLOAD_WAIT_MS,
  Step,
  TransmissionMachine,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import type { SharedLimit } from '../rate/shared-limit.js';
import { Throttle } from '../rate/throttle.js';
import { NO_WAIT_LENGTH_MAX } from './device-io.js';
import type { SessionPins } from '../pins/session-pins.js';
import type { EndReason, ServeOutcome } from './engine.js';
import type { EventedDevice } from './evented-device.js';
import { pause, resume } from './pause.js';
import type { SessionControl } from './session-control.js';
import { SocketReader } from './socket-reader.js';
import { Turn } from './turn.js';

const SEND_THRESHOLD = 64 * 1024;

/** What a session that pauses may have read of its client: with a part of a request before it, it is passed on at once. */
const READ_AHEAD_MAX = HANDOFF_PAYLOAD_MAX - INPUT_BYTES_MIN;

export interface EventedSession {
  readonly socket: Socket;
  /** Of the same socket, open for as long as the session. */
  readonly socketFd: number;
  readonly device: EventedDevice;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  readonly pins: SessionPins;
  /** What it shares with others; absent: it may take what it can. */
  readonly limit?: SharedLimit | undefined;
  readonly input: NativeBuffer;
  readonly output: NativeBuffer;
}

/** Serves one session on the event loop: what may wait is awaited, reads from the page cache do not. */
export async function serveEvented(session: EventedSession): Promise<ServeOutcome> {
  const { control, device, input, output, pins, socket } = session;
  const reader = new SocketReader(socket);
  const throttle = new Throttle(session.limit);
  const pace = new Turn(throttle);
  const machine = new TransmissionMachine(
    session.facts,
    { input: input.bytes, output: output.bytes },
    { transferMinimum: Infinity, sendThreshold: SEND_THRESHOLD, pace },
  );
  resume(machine, session);
  control.wake = () => {
    reader.wake();
  };

  // What was read ahead must fit beside a descriptor; if it does not, some of it is answered first.
  const mayPause = () => control.pausing && reader.buffered <= READ_AHEAD_MAX;

  for (;;) {
    switch (machine.next()) {
      case Step.read: {
        const { bufferOffset, length, fileOffset } = machine;
        pins.beginRead(length);
        const cached =
          length < NO_WAIT_LENGTH_MAX &&
          device.readCached(output.address + bufferOffset, length, fileOffset) === 0;
        machine.completed(cached ? 0 : await device.read(output, bufferOffset, length, fileOffset));
        break;
      }
      case Step.write:
        if (control.fenced) return 'fenced';
        machine.completed(await write(machine, session));
        break;
      case Step.receive:
        if (control.fenced) return 'fenced';
        if (pins.isBroken) return finish(machine, control, 'ledger-violation');
        control.publish(machine.counters);
        if (machine.isAtRest && !(await reader.somethingUnless(mayPause))) {
          return pause(machine, control, reader.surrender());
        }
        if (machine.brief === 1 && !(await reader.somethingWithin(PAYLOAD_WAIT_MS))) {
          machine.silent();
        } else {
          machine.received(await reader.readInto(input.bytes, machine.inputOffset, machine.inputLength));
        }
        pins.tick();
        // Asked after the wait, which may have been long: what came meanwhile is new (T16).
        if (control.stopping) machine.beginShutdown();
        break;
      case Step.send: {
        const { outputOffset, outputLength } = machine;
        // The buffer is lent until the callback, or the end of the stream: nothing is decoded into it meanwhile.
        pins.beginSend(outputLength);
        if (!(await send(socket, output.bytes.subarray(outputOffset, outputOffset + outputLength)))) {
          return finish(machine, control, 'end-of-stream');
        }
        pins.sent();
        machine.sent();
        break;
      }
      case Step.flush:
        machine.completed(await device.flush());
        break;
      case Step.trim:
        if (control.fenced) return 'fenced';
        machine.completed(await device.trim(machine.fileOffset, machine.length, machine.durable === 1));
        break;
      case Step.zero:
        if (control.fenced) return 'fenced';
        machine.completed(
          await device.zero(
            machine.fileOffset,
            machine.length,
            machine.durable === 1,
            machine.noHole === 1,
            machine.fast === 1,
          ),
        );
        break;
      case Step.cache:
        machine.completed(await device.cache(machine.fileOffset, machine.length));
        break;
      case Step.extents:
        machine.completed(await fillExtents(machine, session));
        break;
      case Step.transfer:
        throw new Error('transfer is switched off for the event loop');
      case Step.wait:
        control.publish(machine.counters);
        if (pace.isOver) {
          await nextTurn();
          pace.begin();
        } else {
          if (control.pausing) throttle.hurry();
          else await control.waitOnLoop(throttle.waitMs);
          if (isDisconnected(session.socketFd)) throttle.waive();
          // Not between turns: what has come and would be served at once is under way.
          if (control.stopping) machine.beginShutdown();
        }
        if (control.fenced) return 'fenced';
        machine.waited();
        break;
      case Step.close:
        return finish(machine, control, machine.closeReason ?? 'internal-error');
    }
  }
}

/** The input buffer is pinned until the write has completed, in whatever way (E3). @returns 0, or the Linux errno */
async function write(machine: TransmissionMachine, session: EventedSession): Promise<number> {
  const { device, input, pins } = session;
  const { bufferOffset, length, fileOffset, durable } = machine;
  const request = pins.beginWrite(length);
  try {
    return await device.write(input, bufferOffset, length, fileOffset, durable === 1);
  } finally {
    pins.endWrite(request);
  }
}

function fillExtents(machine: TransmissionMachine, { device, facts }: EventedSession): Promise<number> {
  const { context, extents, fileOffset, length } = machine;
  return device.extents(context, facts.sizeBytes, extents, fileOffset, length);
}

function finish(machine: TransmissionMachine, control: SessionControl, reason: EndReason): EndReason {
  control.publish(machine.counters);
  return reason;
}

function send(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write(bytes, (error) => {
      resolve(error === null || error === undefined);
    });
  });
}
