import { Socket } from 'node:net';
import { NativeBuffer, setBlocking } from '@holdfast/linux';
import { LOOP_BUFFERS } from './buffer-sizes.js';
import type { Assignment, EndReason, Engine } from './engine.js';
import { AsyncDeviceIo } from './device-io-async.js';
import { serveEvented } from './serve-evented.js';

/** Serves sessions on the main loop: slower for each than a thread, cheaper for many. */
export class EventLoopEngine implements Engine {
  readonly name = 'event-loop';
  readonly available = true;
  #sessions = 0;

  get sessions(): number {
    return this.#sessions;
  }

  async serve(assignment: Assignment): Promise<EndReason> {
    this.#sessions++;
    try {
      const { inputBytes, outputBytes } = assignment.buffers ?? LOOP_BUFFERS;
      // A gateway may have read more than a small input holds.
      using input = NativeBuffer.allocate(Math.max(inputBytes, assignment.preload.length));
      using output = NativeBuffer.allocate(outputBytes);
      const socket = openStream(assignment);
      try {
        const device =
          typeof assignment.device === 'number' ? new AsyncDeviceIo(assignment.device) : assignment.device;
        const socketFd = assignment.socket.number;
        return await serveEvented({ ...assignment, device, socket, socketFd, input, output });
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
