import { assert } from '@holdfast/foundation';
import { CommandFlag } from '../constants/command-flags.js';
import { NbdError } from '../constants/errors.js';
import type { MetaContext } from '../handshake/meta-context.js';
import { findContextDefinition } from '../metadata/catalogue.js';
import type { ContextDefinition } from '../metadata/context-definition.js';
import { BlockAligner } from './block-aligner.js';
import type { ChunkReplyQueue } from './chunk-reply-queue.js';
import type { Exchange } from './exchange.js';
import type { RequestHeader } from './messages/request.js';
import { ANSWERED, NO_STEP, type Progress } from './progress.js';
import { failureOfErrno, ReplyError } from './reply-error.js';
import { readStatusFilter } from './status-filter.js';
import { StatusWriter } from './status-writer.js';
import { Step } from './step.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { TransmissionFacts } from './transmission-facts.js';
import { validateRange } from './validate.js';
import type { Wire } from './wire.js';

/** A selected context with its meaning. */
interface Context extends MetaContext {
  readonly definition: ContextDefinition;
}

/** Answers BLOCK_STATUS: one chunk for each context that is asked about, in the order in which they were selected. */
export class StatusAnswer {
  readonly #wire: Wire;
  readonly #replies: ChunkReplyQueue;
  readonly #operands: StepOperands;
  readonly #request: RequestHeader;
  readonly #counters: TransmissionCounters;
  readonly #facts: TransmissionFacts;
  readonly #contexts: readonly Context[];
  readonly #writer: StatusWriter;
  readonly #aligner: BlockAligner;
  readonly #sink: (length: number, flagsHigh: number, flagsLow: number) => void;
  /** Bytes of payload that are awaited. */
  #payloadLength = 0;
  /** Bytes that are asked about. */
  #length = 0;
  /** Contexts that are not answered yet, the next one last. */
  readonly #open: Context[] = [];
  #isWriting = false;
  /** Where on the export the next extent begins. */
  #cursor = 0;

  constructor(exchange: Exchange, wire: Wire, replies: ChunkReplyQueue) {
    this.#wire = wire;
    this.#replies = replies;
    this.#operands = exchange.operands;
    this.#request = exchange.request;
    this.#counters = exchange.counters;
    this.#facts = exchange.facts;
    this.#contexts = exchange.facts.metaContexts.map((context) => {
      const definition = findContextDefinition(context.name);
      assert(definition !== undefined, 'the metadata contexts of a session are known');
      return { ...context, definition };
    });
    this.#writer = new StatusWriter(replies);
    this.#aligner = new BlockAligner(exchange.facts.blockSizeMinimum);
    this.#sink = (length, flagsHigh, flagsLow) => {
      this.#writer.add(length, flagsHigh, flagsLow);
    };
  }

  /** Begins to answer the request under way, which is valid as far as its header tells. */
  begin(payloadLength: number): Progress {
    this.#payloadLength = payloadLength;
    return payloadLength === 0 ? this.#beginAbout(this.#request.length) : this.#takeFilter();
  }

  advance(): Progress {
    if (this.#payloadLength > 0) return this.#takeFilter();
    const context = this.#next();
    if (!this.#isWriting) {
      const { used, free, capacity, answerBytesMax } = this.#replies;
      // A chunk gets most of the queue, and an error finds room in its place.
      if (used > 0 && free < Math.max(capacity / 2, answerBytesMax)) return this.#wire.send(0);
      this.#writer.begin(this.#length, (this.#request.flags & CommandFlag.REQ_ONE) !== 0);
      this.#aligner.begin();
      this.#cursor = this.#request.offset;
      this.#isWriting = true;
    }
    this.#operands.fileOffset = this.#cursor;
    this.#operands.length = this.#request.offset + this.#length - this.#cursor;
    this.#operands.context = context.name;
    this.#operands.extents.clear();
    return Step.extents;
  }

  /** Reports extents: 0, or the Linux errno. */
  completed(errno: number): Progress {
    const context = this.#next();
    const { extents } = this.#operands;
    if (errno !== 0 || extents.count === 0) {
      // Nothing of the chunk is queued yet, so the error takes its place.
      return this.#refuse(failureOfErrno(errno === 0 ? NbdError.EIO : errno));
    }
    for (let index = 0; index < extents.count && !this.#writer.isComplete; index += 1) {
      // A file may go on beyond the end of its export.
      const length = Math.min(extents.lengthAt(index), this.#facts.sizeBytes - this.#cursor);
      if (length > 0) this.#add(length, extents.flagsHighAt(index), extents.flagsLowAt(index), context);
    }
    if (!this.#writer.isComplete) return NO_STEP;
    this.#open.pop();
    this.#isWriting = false;
    this.#writer.finish(this.#request, context.id, this.#open.length === 0);
    return this.#open.length === 0 ? ANSWERED : NO_STEP;
  }

  /** Awaits the payload, which fits the input since it was held against {@link filterBytesMax}. */
  #takeFilter(): Progress {
    const { input } = this.#wire;
    const { offset, type } = this.#request;
    if (input.buffered < this.#payloadLength) return this.#wire.receive(this.#payloadLength);
    const filter = readStatusFilter(
      input.bytes.subarray(input.head, input.head + this.#payloadLength),
      this.#facts,
    );
    input.consume(this.#payloadLength);
    this.#payloadLength = 0;
    if (filter instanceof ReplyError) return this.#refuse(filter);
    const error = validateRange(type, offset, filter.length, this.#facts);
    return error === undefined ? this.#beginAbout(filter.length, filter.contextIds) : this.#refuse(error);
  }

  /** Begins the chunks about `length` bytes, for the contexts with these ids, or for all. */
  #beginAbout(length: number, contextIds?: readonly number[]): Progress {
    this.#length = length;
    this.#isWriting = false;
    this.#open.length = 0;
    for (const context of this.#contexts) {
      if (contextIds === undefined || contextIds.includes(context.id)) this.#open.unshift(context);
    }
    return this.advance();
  }

  #refuse(error: ReplyError): Progress {
    this.#replies.pushError(this.#request, error);
    this.#counters.errors += 1;
    return ANSWERED;
  }

  #add(length: number, flagsHigh: number, flagsLow: number, { definition }: Context): void {
    this.#aligner.add(length, flagsHigh, flagsLow, definition, this.#sink);
    this.#cursor += length;
  }

  #next(): Context {
    const context = this.#open.at(-1);
    assert(context !== undefined, 'a reply has a context to answer until it is answered');
    return context;
  }
}
