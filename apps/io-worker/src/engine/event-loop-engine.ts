import { Socket } from 'node:net';
import { setBlocking } from '@holdfast/linux';
import type { Assignment, EndReason, Engine } from './engine.js';
import { eventLoopSites } from '../pins/pin-sites.js';
import { SessionPins } from '../pins/session-pins.js';
import { BufferPool, type SessionBuffers } from './buffer-pool.js';
import { AsyncDeviceIo } from './device-io-async.js';
import { serveEvented } from './serve-evented.js';

/**
 * Smaller than a thread's, since there may be hundreds; memory that is not touched costs nothing. The input holds at
 * least what a gateway may have read (HANDOFF_PAYLOAD_MAX).
 */
const INPUT_BYTES = 256 * 1024;
const OUTPUT_BYTES = 128 * 1024;

/** Pairs of buffers kept for sessions to come: clients that come and go one after the other need no new ones. */
const IDLE_BUFFERS_MAX = 8;

/** Serves sessions on the main loop: slower for each than a thread, cheaper for many. */
export class EventLoopEngine implements Engine {
  readonly name = 'event-loop';
  readonly available = true;
  readonly #pool = new BufferPool({
    inputBytes: INPUT_BYTES,
    outputBytes: OUTPUT_BYTES,
    idleMax: IDLE_BUFFERS_MAX,
  });
  #sessions = 0;

  get sessions(): number {
    return this.#sessions;
  }

  async serve(assignment: Assignment): Promise<EndReason> {
    this.#sessions++;
    try {
      const buffers = this.#pool.take();
      const pins = new SessionPins(assignment.pins, eventLoopSites);
      try {
        return await serveOver(assignment, buffers, pins);
      } finally {
        this.#pool.giveBack(buffers, pins.end());
      }
    } finally {
      this.#sessions--;
    }
  }
}

/** The buffers are free when this has ended: the stream refers to them until it is closed. */
async function serveOver(
  assignment: Assignment,
  buffers: SessionBuffers,
  pins: SessionPins,
): Promise<EndReason> {
  const socket = openStream(assignment);
  try {
    const { device } = assignment;
    const io = typeof device === 'number' ? new AsyncDeviceIo(device, pins) : device;
    return await serveEvented({ ...assignment, device: io, socket, pins, ...buffers });
  } finally {
    await closed(socket);
  }
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
