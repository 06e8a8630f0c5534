import { CommandFlag } from '../constants/command-flags.js';
import { NbdError } from '../constants/errors.js';
import type { ChunkReplyQueue } from './chunk-reply-queue.js';
import type { Exchange } from './exchange.js';
import type { RequestHeader } from './messages/request.js';
import { alignedPiece } from './piece.js';
import { ANSWERED, NO_STEP, type Progress } from './progress.js';
import type { ReadAnswer } from './read-answer.js';
import { failureOfErrno, type ReplyError } from './reply-error.js';
import { RunFinder } from './run-finder.js';
import { Step } from './step.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { Wire } from './wire.js';

/** Where a reply stands. */
const Stage = {
  /** Between two chunks. */
  runs: 0,
  /** A chunk that the queue can hold: it is read, and queued when nothing can fail any more. */
  whole: 1,
  /** A chunk that the queue cannot hold: it is read and sent in pieces behind its header. */
  pieces: 2,
  /** A chunk whose header is queued, and whose data goes from file to socket. */
  transfer: 3,
  /** A chunk that failed in the middle: "it MUST use padding bytes which SHOULD be zero". */
  padding: 4,
  /** The error is to be told. */
  failed: 5,
} as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/**
 * Answers a READ in chunks: OFFSET_DATA for data, OFFSET_HOLE for what the driver says is a hole (T9). With DF
 * everything is one chunk of data, zeroes included. An error is told by an ERROR_OFFSET chunk.
 */
export class ChunkedRead implements ReadAnswer {
  readonly #wire: Wire;
  readonly #replies: ChunkReplyQueue;
  readonly #operands: StepOperands;
  readonly #request: RequestHeader;
  readonly #counters: TransmissionCounters;
  readonly #transferMinimum: number;
  readonly #runs: RunFinder;
  #stage: Stage = Stage.runs;
  /** Where on the export the next chunk, or the next piece of this one, begins; and where the READ ends. */
  #cursor = 0;
  #end = 0;
  /** Of a chunk that is read in pieces or transferred: bytes of data that are not queued or sent yet. */
  #chunkRemaining = 0;
  #error: ReplyError = failureOfErrno(NbdError.EIO);

  constructor(exchange: Exchange, wire: Wire, replies: ChunkReplyQueue) {
    this.#wire = wire;
    this.#replies = replies;
    this.#operands = exchange.operands;
    this.#request = exchange.request;
    this.#counters = exchange.counters;
    this.#transferMinimum = exchange.transferMinimum;
    this.#runs = new RunFinder(exchange.operands);
  }

  begin(): Progress {
    this.#stage = Stage.runs;
    this.#cursor = this.#request.offset;
    this.#end = this.#request.offset + this.#request.length;
    this.#runs.begin();
    return this.#nextChunk();
  }

  advance(): Progress {
    switch (this.#stage) {
      case Stage.runs:
      case Stage.whole:
        return this.#nextChunk();
      case Stage.pieces:
        return this.#replies.used > 0 ? this.#wire.send(1) : this.#readPiece(0, this.#chunkRemaining);
      case Stage.transfer:
        this.#operands.fileOffset = this.#cursor;
        this.#operands.length = this.#chunkRemaining;
        return Step.transfer;
      case Stage.padding:
        return this.#pad();
      case Stage.failed:
        return this.#tellError();
    }
  }

  completed(errno: number): Progress {
    if (this.#stage === Stage.runs) this.#runs.completed(errno, this.#end);
    else if (errno !== 0) this.#fail(errno);
    else return this.#stage === Stage.whole ? this.#queueWhole() : this.#queuePiece();
    return NO_STEP;
  }

  transferred(count: number, errno: number): Progress {
    this.#advanceBy(count);
    if (errno === 0) this.#stage = Stage.runs;
    else this.#fail(errno);
    return NO_STEP;
  }

  forget(): void {
    this.#runs.forget();
  }

  #nextChunk(): Progress {
    if (this.#cursor === this.#end) {
      // The last chunk was begun when it could still fail, so it did not say that it is the last.
      if (this.#replies.free < this.#replies.headerBytes) return this.#wire.send(1);
      this.#replies.pushSuccess(this.#request);
      return ANSWERED;
    }
    if ((this.#request.flags & CommandFlag.DF) !== 0) return this.#beginData(this.#end);
    if (!this.#runs.find(this.#cursor, this.#end)) return Step.extents;
    return this.#runs.isHole ? this.#queueHole(this.#runs.runEnd) : this.#beginData(this.#runs.runEnd);
  }

  #queueHole(runEnd: number): Progress {
    if (this.#replies.free < this.#replies.holeBytes) return this.#wire.send(1);
    const isLast = runEnd === this.#end;
    this.#replies.pushHole(this.#request, this.#cursor, runEnd - this.#cursor, isLast);
    this.#cursor = runEnd;
    this.#stage = Stage.runs;
    return isLast ? ANSWERED : NO_STEP;
  }

  #beginData(runEnd: number): Progress {
    const replies = this.#replies;
    const length = runEnd - this.#cursor;
    const start = replies.dataStartBytes;
    this.#chunkRemaining = length;
    if (length >= this.#transferMinimum) {
      if (replies.free < start) return this.#wire.send(0);
      replies.pushDataStart(this.#request, this.#cursor, length, false);
      this.#stage = Stage.transfer;
      return this.#wire.send(1);
    }
    if (start + length <= replies.free) {
      this.#stage = Stage.whole;
      return this.#readPiece(replies.used + start, length);
    }
    if (replies.used > 0) return this.#wire.send(0);
    this.#stage = Stage.pieces;
    return this.#readPiece(start, length);
  }

  /** Reads as much of `length` bytes as the output can hold behind `bufferOffset`. */
  #readPiece(bufferOffset: number, length: number): Progress {
    this.#operands.fileOffset = this.#cursor;
    this.#operands.length = alignedPiece(this.#cursor, length, this.#replies.capacity - bufferOffset);
    this.#operands.bufferOffset = bufferOffset;
    return Step.read;
  }

  /** Nothing of this chunk can fail any more, so it may be the last. */
  #queueWhole(): Progress {
    const { length } = this.#operands;
    const isLast = this.#cursor + length === this.#end;
    this.#replies.pushDataStart(this.#request, this.#cursor, length, isLast);
    this.#replies.used += length;
    this.#advanceBy(length);
    this.#stage = Stage.runs;
    return isLast ? ANSWERED : NO_STEP;
  }

  #queuePiece(): Progress {
    const { length, bufferOffset } = this.#operands;
    if (bufferOffset > 0) {
      this.#replies.pushDataStart(this.#request, this.#cursor, this.#chunkRemaining, false);
    }
    this.#replies.used += length;
    this.#advanceBy(length);
    if (this.#chunkRemaining === 0) this.#stage = Stage.runs;
    return NO_STEP;
  }

  #advanceBy(count: number): void {
    this.#counters.bytesRead += count;
    this.#cursor += count;
    this.#chunkRemaining -= count;
  }

  /** The chunk is padded if its header was queued; if not, none is sent. */
  #fail(errno: number): void {
    const headerIsQueued =
      this.#stage === Stage.transfer || (this.#stage === Stage.pieces && this.#operands.bufferOffset === 0);
    this.#error = failureOfErrno(errno);
    this.#stage = headerIsQueued ? Stage.padding : Stage.failed;
  }

  #pad(): Progress {
    const replies = this.#replies;
    if (replies.used > 0) return this.#wire.send(1);
    if (this.#chunkRemaining === 0) {
      this.#stage = Stage.failed;
      return NO_STEP;
    }
    const length = Math.min(this.#chunkRemaining, replies.capacity);
    replies.bytes.fill(0, 0, length);
    replies.used = length;
    this.#chunkRemaining -= length;
    return this.#wire.send(1);
  }

  #tellError(): Progress {
    const { free, answerBytesMax } = this.#replies;
    if (free < answerBytesMax) return this.#wire.send(1);
    this.#replies.pushErrorAt(this.#request, this.#error, this.#cursor);
    this.#counters.errors += 1;
    return ANSWERED;
  }
}
