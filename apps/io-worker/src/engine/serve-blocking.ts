import { isDisconnected, isUnixSocket, silenceBell, type NativeBuffer } from '@holdfast/linux';
import {
  dataStartBytes,
  PAYLOAD_WAIT_MS,
  Step,
  TransmissionMachine,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import type { SessionPins } from '../pins/session-pins.js';
import { extentSourceOf } from '../context/extent-sources.js';
import type { DirectAccess } from '../direct/direct-access.js';
import { DirectDeviceIo } from '../direct/direct-device-io.js';
import { StagedReads } from '../direct/staged-reads.js';
import type { SharedLimit } from '../rate/shared-limit.js';
import { Throttle } from '../rate/throttle.js';
import type { AwakeThreads } from './awake-threads.js';
import { receiveSome, receiveUnlessRung, receiveWithin, sendAll, transfer } from './blocking-socket.js';
import { FIRST_DATA_START } from './buffer-sizes.js';
import { DeviceIo, NO_WAIT_LENGTH_MAX } from './device-io.js';
import { isLostData, LentData } from './lent-data.js';
import { Loans } from './loans.js';
import { pause, resume } from './pause.js';
import { ReadAhead } from './read-ahead.js';
import type { EndReason, ServeOutcome } from './engine.js';
import type { SessionControl } from './session-control.js';
import { Spin } from './spin.js';

/**
 * READs from here on go from the page cache to a Unix socket by sendfile(2), without a copy through this process. On TCP
 * that gains nothing: whoever touches the data first waits for memory, and there it is better the server than the client.
 */
const TRANSFER_MINIMUM = 32 * 1024;

/** Replies are sent at the latest when this many bytes are queued. */
const SEND_THRESHOLD = 256 * 1024;

export interface BlockingSession {
  readonly socket: number;
  readonly device: number;
  /** How it is read and written past the page cache; absent: through it. */
  readonly direct?: DirectAccess | undefined;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  readonly pins: SessionPins;
  /** What it shares with others; absent: it may take what it can. */
  readonly limit?: SharedLimit | undefined;
  /** Descriptor of the bell that is rung when the session is to pause. */
  readonly bell: number;
  /** This thread among those of its engine. */
  readonly threads: AwakeThreads;
  /** What this thread has locked of a device, for whoever outlives it. */
  readonly heldLocks: SharedArrayBuffer;
  readonly input: NativeBuffer;
  /** Page-aligned, longer than {@link FIRST_DATA_START}. */
  readonly output: NativeBuffer;
}

/** Serves one session on this thread with blocking system calls, to its end or to a pause. */
export function serveBlocking(session: BlockingSession): ServeOutcome {
  const { socket, control, pins, direct } = session;
  // Read once: a buffer checks at every access that it was not disposed.
  const inputAddress = session.input.address;
  const repliesStart = FIRST_DATA_START - dataStartBytes(session.facts.replyMode);
  const outputAddress = session.output.address + repliesStart;
  const device =
    direct === undefined
      ? new DeviceIo(session.device, pins)
      : new DirectDeviceIo(session.device, direct, pins, session.heldLocks);
  using loans = new Loans();
  // Past the page cache there is nothing hot.
  using lent = direct === undefined ? LentData.of(loans, session.device, session.facts.sizeBytes) : undefined;
  const pace = new Throttle(session.limit);
  const spin = new Spin(session.threads);
  const machine = new TransmissionMachine(
    session.facts,
    { input: session.input.bytes, output: session.output.bytes.subarray(repliesStart) },
    {
      // What is not in the page cache cannot be sent from there.
      transferMinimum: direct === undefined && isUnixSocket(socket) ? TRANSFER_MINIMUM : Infinity,
      sendThreshold: SEND_THRESHOLD,
      pace,
    },
  );
  const readAhead = new ReadAhead(device, machine);
  using staged =
    direct && StagedReads.of({ fd: session.device, access: direct, pins, queue: machine, loans });
  resume(machine, session);

  for (;;) {
    switch (machine.next()) {
      case Step.read: {
        const address = outputAddress + machine.bufferOffset;
        const { length, fileOffset } = machine;
        if (lent?.canLend(fileOffset, length) === true) {
          pins.beginLoan(length);
          lent.lend(machine.bufferOffset, length, fileOffset);
          machine.completed(0);
          break;
        }
        const stagedErrno = staged?.read(machine.bufferOffset, length, fileOffset);
        if (stagedErrno !== undefined) {
          machine.completed(stagedErrno);
          break;
        }
        pins.beginRead(length);
        if (length < NO_WAIT_LENGTH_MAX && device.tellsWaits) {
          if (device.readCached(address, length, fileOffset) === 0) {
            machine.completed(0);
            break;
          }
          readAhead.missed(fileOffset, length);
        }
        machine.completed(device.read(address, length, fileOffset));
        break;
      }
      case Step.write:
        if (control.fenced) return 'fenced';
        machine.completed(write(machine, device, inputAddress, pins));
        break;
      case Step.receive:
        if (control.fenced) return 'fenced';
        if (pins.isBroken) return finish(machine, control, 'ledger-violation');
        control.publish(machine.counters);
        // Nothing is queued: replies are sent before a wait.
        staged?.clear();
        if (machine.isAtRest) {
          const count = receiveAtRest(machine, session, inputAddress, spin);
          if (count === PAUSED) return pause(machine, control);
          machine.received(count, spin.waited);
        } else receiveInto(machine, socket, inputAddress, spin);
        pins.tick();
        // Not the time of day, which may be set back.
        lent?.tick(performance.now());
        // Asked after the wait, which may have been long: what came meanwhile is new (T16).
        if (control.stopping) machine.beginShutdown();
        break;
      case Step.send:
        if (loans.isUsed) {
          const { outputOffset, outputLength, more } = machine;
          const errno = loans.send(socket, outputAddress, outputOffset, outputLength, more === 1);
          if (errno !== 0) return finish(machine, control, isLostData(errno) ? 'io-error' : 'end-of-stream');
        } else if (
          !sendAll(socket, outputAddress + machine.outputOffset, machine.outputLength, machine.more === 1)
        ) {
          return finish(machine, control, 'end-of-stream');
        }
        pins.sent();
        machine.sent();
        break;
      case Step.transfer:
        if (!transferred(machine, session)) return finish(machine, control, 'end-of-stream');
        break;
      case Step.flush:
        machine.completed(device.flush());
        break;
      case Step.trim:
        if (control.fenced) return 'fenced';
        machine.completed(device.trim(machine.fileOffset, machine.length, machine.durable === 1));
        lent?.forget(machine.fileOffset, machine.length);
        break;
      case Step.zero:
        if (control.fenced) return 'fenced';
        machine.completed(
          device.zero(
            machine.fileOffset,
            machine.length,
            machine.durable === 1,
            machine.noHole === 1,
            machine.fast === 1,
          ),
        );
        lent?.forget(machine.fileOffset, machine.length);
        break;
      case Step.cache:
        machine.completed(device.cache(machine.fileOffset, machine.length));
        break;
      case Step.extents:
        machine.completed(fillExtents(machine, session));
        break;
      case Step.wait:
        control.publish(machine.counters);
        if (control.pausing) pace.hurry();
        else control.wait(pace.waitMs);
        if (isDisconnected(socket)) pace.waive();
        if (control.fenced) return 'fenced';
        if (control.stopping) machine.beginShutdown();
        machine.waited();
        break;
      case Step.close:
        return finish(machine, control, machine.closeReason ?? 'internal-error');
    }
  }
}

/** The input buffer is pinned while the call reads it. @returns 0, or the Linux errno */
function write(machine: TransmissionMachine, device: DeviceIo, input: number, pins: SessionPins): number {
  const { bufferOffset, length, fileOffset, durable } = machine;
  const request = pins.beginWrite(length);
  const errno = device.write(input + bufferOffset, length, fileOffset, durable === 1);
  pins.endWrite(request);
  return errno;
}

/** The page cache is referenced until the transfer is done. @returns whether the client is still there */
function transferred(machine: TransmissionMachine, { socket, device, pins }: BlockingSession): boolean {
  const request = pins.beginTransfer(machine.length);
  const isThere = transfer(machine, socket, device);
  pins.endTransfer(request);
  return isThere;
}

/** In place of a count of bytes: the session is to pause. */
const PAUSED = -1;

/** Bytes received; 0 when the connection is over; {@link PAUSED} */
function receiveAtRest(
  machine: TransmissionMachine,
  { socket, control, bell }: BlockingSession,
  input: number,
  spin: Spin,
): number {
  const address = input + machine.inputOffset;
  // The bell may also have been rung for a session before, which ended by itself.
  while (!control.pausing) {
    const count = receiveUnlessRung(socket, bell, address, machine.inputLength, spin);
    if (count !== undefined) return count;
    silenceBell(bell);
  }
  return PAUSED;
}

function receiveInto(machine: TransmissionMachine, socket: number, input: number, spin: Spin): void {
  const address = input + machine.inputOffset;
  if (machine.brief === 0) {
    const count = receiveSome(socket, address, machine.inputLength, spin);
    machine.received(count, spin.waited);
    return;
  }
  const count = receiveWithin(socket, address, machine.inputLength, PAYLOAD_WAIT_MS, spin);
  if (count === undefined) machine.silent();
  else machine.received(count, spin.waited);
}

function fillExtents(machine: TransmissionMachine, { device, facts }: BlockingSession): number {
  const { context, extents, fileOffset, length } = machine;
  return extentSourceOf(context).fill(device, facts.sizeBytes, extents, fileOffset, length);
}

function finish(machine: TransmissionMachine, control: SessionControl, reason: EndReason): EndReason {
  control.publish(machine.counters);
  return reason;
}
