import { Socket } from 'node:net';
import { setBlocking } from '@holdfast/linux';
import { LOOP_BUFFERS, SMALL_LOOP_BUFFERS } from './buffer-sizes.js';
import type { Assignment, Engine, ServeOutcome } from './engine.js';
import { eventLoopSites } from '../pins/pin-sites.js';
import { SessionPins } from '../pins/session-pins.js';
import { BufferPool, type SessionBuffers } from './buffer-pool.js';
import { ChunkDevice } from '../chunks/chunk-device.js';
import { AsyncDirectDeviceIo } from '../direct/direct-device-io-async.js';
import { AsyncDeviceIo } from './device-io-async.js';
import type { EventedDevice } from './evented-device.js';
import { serveEvented } from './serve-evented.js';

/** Pairs of buffers kept for sessions to come: clients that come and go one after the other need no new ones. */
const IDLE_BUFFERS_MAX = 8;

/** Serves sessions on the main loop: slower for each than a thread, cheaper for many. */
export class EventLoopEngine implements Engine {
  readonly name = 'event-loop';
  readonly available = true;
  readonly #large = new BufferPool({ ...LOOP_BUFFERS, idleMax: IDLE_BUFFERS_MAX });
  readonly #small = new BufferPool({ ...SMALL_LOOP_BUFFERS, idleMax: IDLE_BUFFERS_MAX });
  #sessions = 0;

  get sessions(): number {
    return this.#sessions;
  }

  async serve(assignment: Assignment): Promise<ServeOutcome> {
    this.#sessions++;
    try {
      const pool = this.#poolFor(assignment);
      const buffers = pool.take();
      const pins = new SessionPins(assignment.pins, eventLoopSites);
      try {
        return await serveOver(assignment, buffers, pins);
      } finally {
        pool.giveBack(buffers, pins.end());
      }
    } finally {
      this.#sessions--;
    }
  }

  /** A gateway may have read more than small buffers hold. */
  #poolFor({ buffers = LOOP_BUFFERS, preload }: Assignment): BufferPool {
    const isSmall = buffers === SMALL_LOOP_BUFFERS && preload.length <= buffers.inputBytes;
    return isSmall ? this.#small : this.#large;
  }
}

/** The buffers are free when this has ended: the stream refers to them until it is closed. */
async function serveOver(
  assignment: Assignment,
  buffers: SessionBuffers,
  pins: SessionPins,
): Promise<ServeOutcome> {
  const socket = openStream(assignment);
  try {
    const io = openDevice(assignment, pins);
    const socketFd = assignment.socket.number;
    return await serveEvented({ ...assignment, device: io, socket, socketFd, pins, ...buffers });
  } finally {
    await closed(socket);
  }
}

function openDevice(assignment: Assignment, pins: SessionPins): EventedDevice {
  const device = openWhole(assignment, pins);
  return assignment.chunks === undefined ? device : new ChunkDevice(device, assignment.chunks);
}

function openWhole({ device, direct }: Assignment, pins: SessionPins): EventedDevice {
  if (typeof device !== 'number') return device;
  if (direct === undefined) return new AsyncDeviceIo(device, pins);
  return new AsyncDirectDeviceIo(device, direct, pins);
}

/** The stream closes its own duplicate; the session keeps the descriptor by which it is fenced and shut down. */
function openStream(assignment: Assignment): Socket {
  setBlocking(assignment.socket.number, false);
  using duplicate = assignment.socket.duplicate();
  const options = { readable: true, writable: true, allowHalfOpen: true };
  const socket = new Socket({ fd: duplicate.number, ...options });
  duplicate.release();
  return socket;
}

/** A write that failed may still refer to the output buffer until the stream is closed. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // A reset closes the stream by itself, perhaps long before: that event does not come twice.
    if (socket.closed) {
      resolve();
      return;
    }
    socket.once('close', () => {
      resolve();
    });
    socket.destroy();
  });
}
