import { ReplyFlag } from '../constants/reply-flags.js';
import { EXTENTS_MAX } from '../limits.js';
import type { ChunkReplyQueue } from './chunk-reply-queue.js';
import type { RequestHeader } from './messages/request.js';

/**
 * Writes one status chunk into the reply queue, behind the room for its header. Neighbours with equal flags become one
 * extent, only the last goes beyond what was asked, and the chunk ends early when the queue or 2^20 extents are full
 * (T11): however many extents there are, the reply is bounded, and takes no memory of its own.
 */
export class StatusWriter {
  readonly #replies: ChunkReplyQueue;
  /** Bytes that were asked for. */
  #wanted = 0;
  #onlyOne = false;
  #count = 0;
  #countMax = 0;
  /** Bytes that the descriptors written cover. */
  #written = 0;
  /** The extent that may still grow; it is written when the next begins. */
  #length = 0;
  #flagsHigh = 0;
  #flagsLow = 0;
  #isComplete = false;

  constructor(replies: ChunkReplyQueue) {
    this.#replies = replies;
  }

  /** True when nothing can be added any more. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Begins a chunk about `wanted` bytes; `onlyOne`: with one extent, no longer than that. */
  begin(wanted: number, onlyOne: boolean): void {
    const { free, headerBytes, statusForm } = this.#replies;
    const room = (free - headerBytes - statusForm.startBytes) / statusForm.descriptorBytes;
    this.#wanted = wanted;
    this.#onlyOne = onlyOne;
    this.#count = 0;
    this.#countMax = Math.min(Math.floor(room), EXTENTS_MAX);
    this.#written = 0;
    this.#length = 0;
    this.#isComplete = false;
  }

  /** Adds the extent behind those before. */
  add(length: number, flagsHigh: number, flagsLow: number): void {
    if (this.#isComplete) return;
    if (this.#length > 0 && (flagsLow !== this.#flagsLow || flagsHigh !== this.#flagsHigh)) {
      if (this.#onlyOne || this.#count + 1 === this.#countMax) {
        this.#isComplete = true;
        return;
      }
      this.#write(this.#length);
    }
    this.#flagsHigh = flagsHigh;
    this.#flagsLow = flagsLow;
    this.#length += length;
    if (this.#written + this.#length >= this.#wanted) this.#isComplete = true;
  }

  /** Ends the chunk, which has an extent at least, and queues it; `isLast`: with it the reply ends. */
  finish(request: Readonly<RequestHeader>, contextId: number, isLast: boolean): void {
    const replies = this.#replies;
    const { chunkType, descriptorBytes, encodeStart, extentBytesMax, startBytes } = replies.statusForm;
    const asked = this.#wanted - this.#written;
    this.#write(Math.min(this.#length, this.#onlyOne ? asked : Math.max(asked, extentBytesMax)));
    const length = startBytes + this.#count * descriptorBytes;
    replies.pushHeader(request, isLast ? ReplyFlag.DONE : 0, chunkType, length);
    encodeStart(replies.view, replies.used, contextId, this.#count);
    replies.used += length;
  }

  #write(length: number): void {
    const { headerBytes, statusForm, used, view } = this.#replies;
    const at = used + headerBytes + statusForm.startBytes + this.#count * statusForm.descriptorBytes;
    statusForm.encodeDescriptor(view, at, length, this.#flagsHigh, this.#flagsLow);
    this.#count += 1;
    this.#written += length;
    this.#length = 0;
  }
}
