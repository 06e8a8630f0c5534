import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HANDOFF_PAYLOAD_MAX, type NativeBuffer } from '@holdfast/linux';
import {
  INPUT_BYTES_MIN,
  PAYLOAD_WAIT_MS,
  Step,
  TransmissionMachine,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import { NO_WAIT_LENGTH_MAX } from './device-io.js';
import type { EndReason, ServeOutcome } from './engine.js';
import type { EventedDevice } from './evented-device.js';
import { pause, resume } from './pause.js';
import type { SessionControl } from './session-control.js';
import { SocketReader } from './socket-reader.js';

const SEND_THRESHOLD = 64 * 1024;

/** Requests answered in a row without waiting for anything, before other sessions get their turn. */
const TURN_STEPS = 256;

/** What a session that pauses may have read of its client: with a part of a request before it, it is passed on at once. */
const READ_AHEAD_MAX = HANDOFF_PAYLOAD_MAX - INPUT_BYTES_MIN;

export interface EventedSession {
  readonly socket: Socket;
  readonly device: EventedDevice;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  readonly input: NativeBuffer;
  readonly output: NativeBuffer;
}

/** Serves one session on the event loop: what may wait is awaited, reads from the page cache do not. */
export async function serveEvented(session: EventedSession): Promise<ServeOutcome> {
  const { control, device, input, output, socket } = session;
  const reader = new SocketReader(socket);
  const machine = new TransmissionMachine(
    session.facts,
    { input: input.bytes, output: output.bytes },
    { transferMinimum: Infinity, sendThreshold: SEND_THRESHOLD },
  );
  resume(machine, session);
  control.wake = () => {
    reader.wake();
  };

  // What was read ahead must fit beside a descriptor; if it does not, some of it is answered first.
  const mayPause = () => control.pausing && reader.buffered <= READ_AHEAD_MAX;

  for (let steps = 1; ; steps++) {
    if (steps % TURN_STEPS === 0) await nextTurn();
    switch (machine.next()) {
      case Step.read: {
        const { bufferOffset, length, fileOffset } = machine;
        const cached =
          length < NO_WAIT_LENGTH_MAX &&
          device.readCached(output.address + bufferOffset, length, fileOffset) === 0;
        machine.completed(cached ? 0 : await device.read(output, bufferOffset, length, fileOffset));
        break;
      }
      case Step.write: {
        if (control.fenced) return 'fenced';
        const { bufferOffset, length, fileOffset, durable } = machine;
        machine.completed(await device.write(input, bufferOffset, length, fileOffset, durable === 1));
        break;
      }
      case Step.receive:
        if (control.fenced) return 'fenced';
        control.publish(machine.counters);
        if (machine.isAtRest && !(await reader.somethingUnless(mayPause))) {
          return pause(machine, control, reader.surrender());
        }
        if (machine.brief === 1 && !(await reader.somethingWithin(PAYLOAD_WAIT_MS))) {
          machine.silent();
        } else {
          machine.received(await reader.readInto(input.bytes, machine.inputOffset, machine.inputLength));
        }
        // Asked after the wait, which may have been long: what came meanwhile is new (T16).
        if (control.stopping) machine.beginShutdown();
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
      case Step.close:
        return finish(machine, control, machine.closeReason ?? 'internal-error');
    }
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
