import { ChunkType } from '../constants/chunk-types.js';
import { ReplyFlag } from '../constants/reply-flags.js';
import { ERROR_TEXT_BYTES_MAX } from '../limits.js';
import { encodeOffsetDataStart, OFFSET_DATA_START_BYTES } from './messages/offset-data.js';
import { encodeOffsetHole, OFFSET_HOLE_BYTES } from './messages/offset-hole.js';
import type { RequestHeader } from './messages/request.js';
import { setUint64 } from './messages/uint64.js';
import type { ReplyError } from './reply-error.js';
import { ReplyQueue } from './reply-queue.js';
import type { StatusForm } from './status-form.js';

const ERROR_START_BYTES = 6;
const ERROR_OFFSET_BYTES = 8;

/**
 * Replies in chunks (section "Structured reply types"); structured and extended ones differ in their headers and in
 * how they tell block status.
 *
 * `last` marks a chunk as the last of its reply. It is true only for what lies whole in the queue: from then on nothing
 * can fail.
 */
export abstract class ChunkReplyQueue extends ReplyQueue {
  readonly headerBytes: number;
  readonly statusForm: StatusForm;
  override readonly answerBytesMax: number;

  constructor(bytes: Uint8Array, headerBytes: number, statusForm: StatusForm) {
    super(bytes);
    this.headerBytes = headerBytes;
    this.statusForm = statusForm;
    this.answerBytesMax = headerBytes + ERROR_START_BYTES + ERROR_TEXT_BYTES_MAX + ERROR_OFFSET_BYTES;
  }

  /** Bytes before the data of an OFFSET_DATA chunk. */
  get dataStartBytes(): number {
    return this.headerBytes + OFFSET_DATA_START_BYTES;
  }

  /** Bytes of an OFFSET_HOLE chunk. */
  get holeBytes(): number {
    return this.headerBytes + OFFSET_HOLE_BYTES;
  }

  override pushSuccess(request: Readonly<RequestHeader>): void {
    this.pushHeader(request, ReplyFlag.DONE, ChunkType.NONE, 0);
  }

  override pushError(request: Readonly<RequestHeader>, { payload }: ReplyError): void {
    this.pushHeader(request, ReplyFlag.DONE, ChunkType.ERROR, payload.length);
    this.#pushBytes(payload);
  }

  /** Queues an error that the device has at `offset`; the reply ends with it. */
  pushErrorAt(request: Readonly<RequestHeader>, { payload }: ReplyError, offset: number): void {
    this.pushHeader(request, ReplyFlag.DONE, ChunkType.ERROR_OFFSET, payload.length + ERROR_OFFSET_BYTES);
    this.#pushBytes(payload);
    setUint64(this.view, this.used, offset);
    this.used += ERROR_OFFSET_BYTES;
  }

  pushHole(request: Readonly<RequestHeader>, offset: number, length: number, last: boolean): void {
    this.pushHeader(request, last ? ReplyFlag.DONE : 0, ChunkType.OFFSET_HOLE, OFFSET_HOLE_BYTES);
    encodeOffsetHole(this.view, this.used, offset, length);
    this.used += OFFSET_HOLE_BYTES;
  }

  /** Queues what comes before `length` bytes of data. */
  pushDataStart(request: Readonly<RequestHeader>, offset: number, length: number, last: boolean): void {
    const flags = last ? ReplyFlag.DONE : 0;
    this.pushHeader(request, flags, ChunkType.OFFSET_DATA, OFFSET_DATA_START_BYTES + length);
    encodeOffsetDataStart(this.view, this.used, offset);
    this.used += OFFSET_DATA_START_BYTES;
  }

  abstract pushHeader(request: Readonly<RequestHeader>, flags: number, type: number, length: number): void;

  #pushBytes(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.used);
    this.used += bytes.length;
  }
}
