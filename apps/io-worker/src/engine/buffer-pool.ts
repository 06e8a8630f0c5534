import { NativeBuffer } from '@holdfast/linux';

/** What one session reads requests into and queues replies in. */
export interface SessionBuffers {
  readonly input: NativeBuffer;
  readonly output: NativeBuffer;
}

export interface BufferPoolSizes {
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Pairs that are kept for sessions to come; those beyond are given back to the system. */
  readonly idleMax: number;
}

/** The buffers of sessions. They belong to the worker, which lends each session a pair for its time. */
export class BufferPool {
  readonly #sizes: BufferPoolSizes;
  readonly #idle: SessionBuffers[] = [];

  constructor(sizes: BufferPoolSizes) {
    this.#sizes = sizes;
  }

  /** @throws RangeError when there is not enough memory */
  take(): SessionBuffers {
    const { inputBytes, outputBytes } = this.#sizes;
    return (
      this.#idle.pop() ?? {
        input: NativeBuffer.allocate(inputBytes),
        output: NativeBuffer.allocate(outputBytes),
      }
    );
  }

  /** @param reusable false if they may still be pinned: then they are neither lent nor freed any more, and leak (E10, E12) */
  giveBack(buffers: SessionBuffers, reusable: boolean): void {
    if (!reusable) return;
    if (this.#idle.length < this.#sizes.idleMax) this.#idle.push(buffers);
    else {
      buffers.input.dispose();
      buffers.output.dispose();
    }
  }
}
