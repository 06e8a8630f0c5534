import { Socket } from 'node:net';
import { NativeBuffer, setBlocking } from '@holdfast/linux';
import type { Assignment, Engine, ServeOutcome } from './engine.js';
import { AsyncDeviceIo } from './device-io-async.js';
import { serveEvented } from './serve-evented.js';

/**
 * Smaller than a thread's, since there may be hundreds; memory that is not touched costs nothing. The input holds at
 * least what a gateway may have read (HANDOFF_PAYLOAD_MAX).
 */
const INPUT_BYTES = 256 * 1024;
const OUTPUT_BYTES = 128 * 1024;

/** Serves sessions on the main loop: slower for each than a thread, cheaper for many. */
export class EventLoopEngine implements Engine {
  readonly name = 'event-loop';
  readonly available = true;
  #sessions = 0;

  get sessions(): number {
    return this.#sessions;
  }

  async serve(assignment: Assignment): Promise<ServeOutcome> {
    this.#sessions++;
    try {
      using input = NativeBuffer.allocate(INPUT_BYTES);
      using output = NativeBuffer.allocate(OUTPUT_BYTES);
      const socket = openStream(assignment);
      try {
        const device =
          typeof assignment.device === 'number' ? new AsyncDeviceIo(assignment.device) : assignment.device;
        return await serveEvented({ ...assignment, device, socket, input, output });
      } finally {
        await closed(socket);
      }
    } finally {
      this.#sessions--;
    }
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
