import type { Buffer } from 'node:buffer';
import type { HoldfastError } from '@holdfast/foundation';
import {
  Command,
  CommandFlag,
  type BlockSize,
  type MetaContext,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { NbdReplyError } from './errors/reply-error.js';
import { NbdRequestError } from './errors/request-error.js';
import type {
  CompletionCallback,
  ExtentCallback,
  ExtentCallback32,
} from './extents/block-status-callbacks.js';
import type { Extent } from './extents/extent-list.js';
import type { ExportInfo } from './handshake/export-info.js';
import type { Owned } from './ownership/owned.js';
import {
  narrow,
  narrowing,
  prepareBlockStatus,
  prepareBlockStatus32,
  sendWithCallbacks,
  type ContextEntries32,
  type Range,
} from './transmission/block-status-command.js';
import type { BlockStatusOptions } from './transmission/block-status-query.js';
import { assertTransferable } from './transmission/check-request.js';
import type { CommandIssuer } from './transmission/command-issuer.js';
import { probe, type ProbeRequest } from './transmission/probe.js';
import type { ContextExtents } from './transmission/replies/block-status-reply.js';
import {
  callerBuffer,
  newBuffer,
  pieceByPiece,
  type ReadDestination,
  type ReadPiece,
} from './transmission/replies/read-destination.js';
import { ReadReply } from './transmission/replies/read-reply.js';
import { StatusReply } from './transmission/replies/status-reply.js';
import { toUint64, type CommandName } from './transmission/request.js';
import type { Transmission } from './transmission/transmission.js';
import { extentsOf } from './transmission/extents-command.js';

/** An offset on an export, or a number of its bytes; a whole number of up to 64 bits. */
export type Bytes = number | bigint;

export interface ReadOptions {
  /** The server may not split its answer (DF). Default false. */
  readonly df?: boolean;
}

export interface WriteOptions {
  /** Answer only once it is on stable storage (FUA). Default false. */
  readonly fua?: boolean;
}

export interface WriteZeroesOptions extends WriteOptions {
  /** Provision the range, so that later writes to it find space. Default false. */
  readonly noHole?: boolean;
  /** Fail with ENOTSUP rather than be no faster than a WRITE. Default false. */
  readonly fast?: boolean;
}

export interface ConnectionFacts {
  readonly exportInfo: ExportInfo;
  readonly replyMode: ReplyMode;
  readonly metaContexts: readonly MetaContext[];
  readonly isSecure: boolean;
}

/**
 * A connection to one export, in transmission. Many requests may be under way at once; each fails on its own by
 * NbdReplyError (the server says no), NbdRequestError (it does not keep to what was negotiated, and was not sent),
 * NbdProtocolError or NbdConnectionLostError (the connection has ended, and with it every request).
 *
 * What is handed out is the caller's own (A1); what a caller hands in (data to write, a buffer to read into) is lent until
 * the promise settles.
 */
export class NbdConnection implements AsyncDisposable {
  readonly exportInfo: ExportInfo;
  /** What requests must keep to, told by the server or assumed. */
  readonly blockSize: BlockSize;
  readonly replyMode: ReplyMode;
  /** What {@link blockStatus} answers. */
  readonly metaContexts: readonly MetaContext[];
  /** Whether it goes through TLS. */
  readonly isSecure: boolean;
  readonly #transmission: Transmission;
  readonly #issuer: CommandIssuer;

  constructor(facts: ConnectionFacts, issuer: CommandIssuer, transmission: Transmission) {
    this.exportInfo = facts.exportInfo;
    this.blockSize = issuer.facts.blockSize;
    this.replyMode = facts.replyMode;
    this.metaContexts = facts.metaContexts;
    this.isSecure = facts.isSecure;
    this.#issuer = issuer;
    this.#transmission = transmission;
  }

  /** Resolves when the connection has ended: with the reason, or undefined after {@link disconnect} or {@link destroy}. */
  get closed(): Promise<HoldfastError | undefined> {
    return this.#transmission.closed;
  }

  /** Reads into a new buffer, which is the caller's own. */
  async read(offset: Bytes, length: Bytes, options: ReadOptions = {}): Promise<Buffer> {
    const range = rangeOf(offset, length);
    return this.#read(range, newBuffer(Number(range.length)), options);
  }

  /** Fills `target`, which is lent until the promise settles; after a failure its content is undefined. */
  async readInto(target: Uint8Array, offset: Bytes, options: ReadOptions = {}): Promise<void> {
    await this.#read(rangeOf(offset, target.length), callerBuffer(target), options);
  }

  /**
   * Reads a range piece by piece, in the order in which the pieces come, without gathering them: the data of each is lent
   * for the call of `take`. Pieces do not overlap, and once the promise resolves they have covered the range; if it
   * rejects, what was given may be wrong.
   */
  async readPieces(
    offset: Bytes,
    length: Bytes,
    take: (piece: ReadPiece) => void,
    options: ReadOptions = {},
  ): Promise<void> {
    const range = rangeOf(offset, length);
    await this.#read(range, pieceByPiece(range.offset, take), options);
  }

  /** Writes `data`, which is lent until the promise settles. */
  async write(offset: Bytes, data: Uint8Array, options: WriteOptions = {}): Promise<void> {
    const { payloadFlag } = this.#issuer;
    const range = rangeOf(offset, data.length);
    const flags = flag(options.fua, CommandFlag.FUA);
    const prepared = this.#issuer.prepare(
      { command: 'WRITE', flags, ...range },
      { type: Command.WRITE, flags: flags | payloadFlag, ...range, payload: data },
    );
    let onFlushed = (): void => undefined;
    const flushed = new Promise<void>((resolve) => {
      onFlushed = resolve;
    });
    try {
      await this.#issuer.issue<undefined>(
        { ...prepared, onFlushed },
        (settle) => new StatusReply({ command: 'WRITE', ...range }, settle),
      );
    } catch (error) {
      if (!(error instanceof NbdReplyError)) throw error;
      await flushed;
      throw error;
    }
    // A server may answer before it has read all of it, and the stream would go on to send what the caller puts there next.
    await flushed;
  }

  /** Resolves once every write that was answered before is on stable storage. */
  async flush(): Promise<void> {
    await this.#status('FLUSH', { offset: 0n, length: 0n }, 0);
  }

  /** Tells that a range is of no more use: what it reads as afterwards is undefined. */
  async trim(offset: Bytes, length: Bytes, options: WriteOptions = {}): Promise<void> {
    await this.#status('TRIM', rangeOf(offset, length), flag(options.fua, CommandFlag.FUA));
  }

  /** Tells that a range will be read soon. */
  async cache(offset: Bytes, length: Bytes): Promise<void> {
    await this.#status('CACHE', rangeOf(offset, length), 0);
  }

  /** Makes a range read as zeroes. */
  async writeZeroes(offset: Bytes, length: Bytes, options: WriteZeroesOptions = {}): Promise<void> {
    const flags =
      flag(options.fua, CommandFlag.FUA) |
      flag(options.noHole, CommandFlag.NO_HOLE) |
      flag(options.fast, CommandFlag.FAST_ZERO);
    await this.#status('WRITE_ZEROES', rangeOf(offset, length), flags);
  }

  /**
   * Asks all selected metadata contexts about a range, or those that the options name. An answer has at least one extent,
   * and may end before the range or after it; {@link extents} walks over a range whatever the answers are.
   */
  async blockStatus(
    offset: Bytes,
    length: Bytes,
    options: BlockStatusOptions = {},
  ): Promise<readonly ContextExtents[]> {
    return prepareBlockStatus(this.#issuer, rangeOf(offset, length), options)();
  }

  /**
   * As {@link blockStatus}, in 32 bits: an extent of more than 2^32−1 bytes is told as 4 GiB − 64 MiB and ends the answer
   * (B3). With extended headers a strict connection refuses it (B4).
   *
   * @throws NbdOverflowError if flags do not fit
   */
  async blockStatus32(
    offset: Bytes,
    length: Bytes,
    options: BlockStatusOptions = {},
  ): Promise<readonly ContextEntries32[]> {
    const answers = await prepareBlockStatus32(this.#issuer, rangeOf(offset, length), options)();
    return answers.map(narrow);
  }

  /**
   * As {@link blockStatus}, with callbacks. When it returns it has taken both, and releases each once after the completion
   * was told. When it throws it has sent nothing, and both are as they were (B7).
   */
  blockStatusWith(
    offset: Bytes,
    length: Bytes,
    extents: Owned<ExtentCallback>,
    completion: Owned<CompletionCallback>,
    options: BlockStatusOptions = {},
  ): void {
    const send = prepareBlockStatus(this.#issuer, rangeOf(offset, length), options);
    sendWithCallbacks(send, extents, completion, (callback) => callback);
  }

  /** As {@link blockStatus32}, with callbacks as {@link blockStatusWith} has them. */
  blockStatus32With(
    offset: Bytes,
    length: Bytes,
    extents: Owned<ExtentCallback32>,
    completion: Owned<CompletionCallback>,
    options: BlockStatusOptions = {},
  ): void {
    const send = prepareBlockStatus32(this.#issuer, rangeOf(offset, length), options);
    sendWithCallbacks(send, extents, completion, narrowing);
  }

  /**
   * Walks over the extents of a range, by default the whole export, as one metadata context has them: consecutive, neighbours
   * of equal flags as one, together exactly the range.
   */
  extents(context: string, offset: Bytes = 0, length?: Bytes): AsyncGenerator<Extent, undefined> {
    const from = toUint64(offset, 'offset');
    const rest = this.exportInfo.sizeBytes - from;
    if (rest < 0n)
      throw new NbdRequestError('out-of-range', `offset ${from} is beyond the end of the export`);
    const count = length === undefined ? rest : toUint64(length, 'length');
    return extentsOf(this.#issuer, context, { offset: from, length: count });
  }

  /** Sends any request at all, legal or not, to see what the server does about it. For connections that are not strict. */
  async probe(request: ProbeRequest): Promise<void> {
    await probe(this.#issuer, request);
  }

  /** Finishes the requests that were made, takes no more, says goodbye and closes. */
  disconnect(): Promise<void> {
    return this.#transmission.disconnect();
  }

  /** Closes at once; requests under way fail with NBD_CONNECTION_CLOSED. */
  destroy(): void {
    this.#transmission.end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #read<Result>(
    range: Range,
    destination: ReadDestination<Result>,
    options: ReadOptions,
  ): Promise<Result> {
    assertTransferable('READ', range.length);
    const flags = flag(options.df, CommandFlag.DF);
    const prepared = this.#issuer.prepare(
      { command: 'READ', flags, ...range },
      { type: Command.READ, flags, ...range, payload: undefined },
    );
    const asked = { command: 'READ', ...range };
    return this.#issuer.issue<Result>(
      prepared,
      (settle) => new ReadReply(asked, options.df === true, destination, settle),
    );
  }

  async #status(command: CommandName, range: Range, flags: number): Promise<void> {
    const prepared = this.#issuer.prepare(
      { command, flags, ...range },
      { type: Command[command], flags, ...range, payload: undefined },
    );
    await this.#issuer.issue<undefined>(prepared, (settle) => new StatusReply({ command, ...range }, settle));
  }
}

function rangeOf(offset: Bytes, length: Bytes): Range {
  return { offset: toUint64(offset, 'offset'), length: toUint64(length, 'length') };
}

function flag(isSet: boolean | undefined, bit: number): number {
  return isSet === true ? bit : 0;
}
