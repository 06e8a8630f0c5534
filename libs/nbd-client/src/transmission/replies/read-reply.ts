import { NbdProtocolError } from '../../errors/protocol-error.js';
import { CoveredRanges } from './covered-ranges.js';
import { IncomingReply, type Asked, type ContentTaker, type Settle } from './incoming-reply.js';
import type { ReadDestination } from './read-destination.js';

/**
 * The reply to a READ (T9): content chunks in any order, each inside the request, none twice, together all of it; with DF
 * one content chunk at most.
 */
export class ReadReply<Result> extends IncomingReply implements ContentTaker {
  readonly #destination: ReadDestination<Result>;
  readonly #resolve: Settle<Result>['resolve'];
  readonly #covered = new CoveredRanges();
  readonly #unfragmented: boolean;
  #hasContent = false;
  /** Where the next piece of data goes, from the start of the request. */
  #position = 0;

  constructor(
    asked: Asked,
    unfragmented: boolean,
    destination: ReadDestination<Result>,
    settle: Settle<Result>,
  ) {
    super(asked, settle.reject);
    this.#unfragmented = unfragmented;
    this.#destination = destination;
    this.#resolve = settle.resolve;
  }

  override get content(): ContentTaker {
    return this;
  }

  override get status(): undefined {
    return undefined;
  }

  admitContent(): void {
    if (this.#unfragmented && this.#hasContent) throw new NbdProtocolError('fragmented-data');
    this.#hasContent = true;
  }

  beginData(offset: bigint, length: number): void {
    this.#position = this.#cover(offset, BigInt(length));
    this.#destination.begin();
  }

  pushData(bytes: Uint8Array): void {
    this.#destination.put(this.#position, bytes);
    this.#position += bytes.length;
  }

  addHole(offset: bigint, length: bigint): void {
    const position = this.#cover(offset, length);
    this.#destination.putZeroes(position, Number(length));
  }

  protected override succeed(): void {
    if (!this.#covered.covers(Number(this.asked.length))) throw new NbdProtocolError('incomplete-data');
    let result: Result;
    try {
      result = this.#destination.result();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#resolve(result);
  }

  /** @returns where the range begins, from the start of the request */
  #cover(offset: bigint, length: bigint): number {
    const start = offset - this.asked.offset;
    if (start < 0n || start + length > this.asked.length) {
      throw new NbdProtocolError('data-outside-request', `${length} bytes at offset ${offset}`);
    }
    // "MUST NOT overlap with the bounds of any earlier content chunk or error chunk in the same reply."
    const meetsError = this.faults.some(
      (fault) => fault.offset !== undefined && fault.offset >= offset && fault.offset < offset + length,
    );
    const added = meetsError ? 'overlap' : this.#covered.add(Number(start), Number(length));
    if (added === 'overlap') throw new NbdProtocolError('overlapping-data', `at offset ${offset}`);
    if (added === 'too-many') throw new NbdProtocolError('too-many-fragments');
    return Number(start);
  }
}
