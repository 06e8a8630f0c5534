import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';

const INITIAL_BYTES = 256;

/** Bytes that arrived and were not used yet. Its owner bounds what is pushed. */
export class ByteQueue {
  #bytes = Buffer.alloc(INITIAL_BYTES);
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Keeps a copy of the chunk. */
  push(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#tail);
    this.#tail += chunk.length;
  }

  /** All bytes, lent until the next push. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#head, this.#tail);
  }

  /** Removes bytes from the front. @returns them, lent until the next push */
  take(count: number): Uint8Array {
    assert(count <= this.length, 'only bytes that are there are taken');
    this.#head += count;
    return this.#bytes.subarray(this.#head - count, this.#head);
  }

  clear(): void {
    this.#head = 0;
    this.#tail = 0;
  }

  #makeRoom(count: number): void {
    if (this.#tail + count <= this.#bytes.length) return;
    const length = this.length;
    // Doubling keeps the cost of many small pushes linear.
    const target =
      length + count <= this.#bytes.length
        ? this.#bytes
        : Buffer.alloc(Math.max(2 * this.#bytes.length, length + count));
    target.set(this.peek());
    this.#bytes = target;
    this.#head = 0;
    this.#tail = length;
  }
}
