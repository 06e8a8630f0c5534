import { NbdError } from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../../errors/protocol-error.js';
import { NbdReplyError, type ReplyFault } from '../../errors/reply-error.js';
import { REPLY_ERRORS_MAX } from '../../limits.js';

/** What a reply is the reply to. */
export interface Asked {
  /** The command's name, such as `READ`, for errors. */
  readonly command: string;
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  /** Bytes of the export, not of a payload. */
  readonly length: bigint;
}

/** Who waits for a reply; told once. */
export interface Settle<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Takes content chunks, which only a READ has. Each method throws NbdProtocolError if a rule is broken. */
export interface ContentTaker {
  /** A content chunk, of which nothing but the header was read. */
  admitContent: () => void;
  /** Data begins: `length` bytes will follow. */
  beginData: (offset: bigint, length: number) => void;
  /** A part of the data that was begun, lent for the call. */
  pushData: (bytes: Uint8Array) => void;
  addHole: (offset: bigint, length: bigint) => void;
}

/** Takes status chunks, which only a BLOCK_STATUS has. Each method throws NbdProtocolError if a rule is broken. */
export interface StatusTaker {
  /** A status chunk, of which nothing but the header was read. */
  admitStatus: (type: number, chunkLength: number) => void;
  /** The payload of a status chunk that was admitted, lent for the call. */
  addStatus: (payload: Uint8Array) => void;
}

/**
 * The reply to one request, while its parts come in. Which parts may come is for the kind of request to say; errors may
 * come to every one.
 */
export abstract class IncomingReply {
  readonly asked: Asked;
  /** Whether a chunk of it has come: a simple reply is then too late. */
  hasBegun = false;
  readonly #faults: ReplyFault[] = [];
  readonly #reject: (error: unknown) => void;

  protected constructor(asked: Asked, reject: (error: unknown) => void) {
    this.asked = asked;
    this.#reject = reject;
  }

  /** Undefined of a request that has no content. */
  abstract get content(): ContentTaker | undefined;

  /** Undefined of a request that has no block status. */
  abstract get status(): StatusTaker | undefined;

  /** An error. It decides the outcome; what else belongs to the reply may still follow. */
  addFault(fault: ReplyFault): void {
    const { offset, length } = this.asked;
    // FLUSH has no range, so nothing can be outside of it.
    if (
      length > 0n &&
      fault.offset !== undefined &&
      (fault.offset < offset || fault.offset >= offset + length)
    ) {
      throw new NbdProtocolError('error-outside-request', `offset ${fault.offset}`);
    }
    if (this.#faults.length === REPLY_ERRORS_MAX) throw new NbdProtocolError('too-many-errors');
    this.#faults.push(fault);
  }

  /**
   * The whole reply was there.
   *
   * @throws NbdProtocolError if it claims success and something is missing; it is not settled then
   */
  complete(): void {
    const [first, ...others] = this.#faults;
    if (first === undefined) this.succeed();
    else this.fail(new NbdReplyError(this.asked.command, [first, ...others]));
  }

  /** Whether an error of it says that the server is being shut down. */
  get saysShutdown(): boolean {
    return this.#faults.some(({ error }) => error === NbdError.ESHUTDOWN);
  }

  /** Settles with an error: the server's, or that of the connection. */
  fail(error: unknown): void {
    this.#reject(error);
  }

  /** The errors that came so far. */
  protected get faults(): readonly ReplyFault[] {
    return this.#faults;
  }

  /** Checks that everything is there and settles, or throws. */
  protected abstract succeed(): void;
}
