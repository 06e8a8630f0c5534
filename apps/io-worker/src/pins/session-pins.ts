import { PinShard, Variant, type PinRequest } from '@holdfast/pin-ledger';
import { Layer, SessionBuffer, Site, type EngineSites } from './pin-sites.js';

const { pinned, referenced, transferred } = Variant;
const { input, output, zeroes, preload, bounce, 'page-cache': pageCache } = SessionBuffer;

/** No request of a shard has this number. */
const NONE = 0;

/** What the writing of zeroes needs of an account. */
export interface ZeroesAccount {
  beginZeroes(bytes: number): PinRequest;
  endZeroes(request: PinRequest): void;
}

/** What direct I/O needs of an account. */
export interface DirectAccount extends ZeroesAccount {
  beginBounce(bytes: number): PinRequest;
  endBounce(request: PinRequest): void;
}

/**
 * The account of one session in the words of its engine: what it reads is pinned until the reply that contains it is sent,
 * what it writes until the call is over, what it transfers is referenced until that is done. Whoever begins something ends
 * it, however it went (E3).
 */
export class SessionPins implements DirectAccount {
  readonly #shard: PinShard;
  readonly #sites: EngineSites;
  /** What the replies that are queued contain. */
  #reading: PinRequest = NONE;
  /** What the replies that are queued show of the page cache. */
  #lending: PinRequest = NONE;
  /** A send of an event loop whose callback has not come. */
  #sending: PinRequest = NONE;

  /** Takes the references of the session on its buffers. @param memory of its account, of which this is the only writer */
  constructor(memory: SharedArrayBuffer, sites: EngineSites) {
    this.#shard = new PinShard(memory);
    this.#sites = sites;
    this.tick();
    this.#shard.hold(input, sites.begin);
    this.#shard.hold(output, sites.begin);
  }

  /** Looks at the clock, once for each batch of requests. */
  tick(): void {
    this.#shard.tick(Date.now());
  }

  /** Whether something went wrong: the session ends, since nothing of its account can be relied on. */
  get isBroken(): boolean {
    return this.#shard.hasViolations;
  }

  /** Before a system call reads into the buffer of replies; over when they are sent. */
  beginRead(bytes: number): void {
    if (this.#reading === NONE) {
      this.#reading = this.#shard.begin(pinned, Layer.engine, output, this.#sites.read);
    }
    this.#shard.add(this.#reading, pinned, output, bytes);
  }

  /** Before queued replies show bytes of the page cache; over when they are sent. */
  beginLoan(bytes: number): void {
    if (this.#lending === NONE) {
      this.#lending = this.#shard.begin(referenced, Layer.engine, pageCache, this.#sites.lend);
    }
    this.#shard.add(this.#lending, referenced, pageCache, bytes);
  }

  /** What was queued is sent, and the buffer of replies is free. */
  sent(): void {
    this.#reading = this.#over(this.#reading, this.#sites.sent);
    this.#lending = this.#over(this.#lending, this.#sites.sent, referenced);
    this.#sending = this.#over(this.#sending, this.#sites.sent);
  }

  /** Before a send that returns before it is over. */
  beginSend(bytes: number): void {
    this.#sending = this.#shard.acquire(pinned, Layer.engine, output, bytes, this.#sites.send);
  }

  /** Before a system call writes from the buffer of requests. */
  beginWrite(bytes: number): PinRequest {
    return this.#shard.acquire(pinned, Layer.engine, input, bytes, this.#sites.write);
  }

  endWrite(request: PinRequest): void {
    this.#shard.complete(request, pinned, Layer.engine, this.#sites.written);
  }

  /** Before the kernel sends from the page cache. */
  beginTransfer(bytes: number): PinRequest {
    return this.#shard.acquire(referenced, Layer.engine, pageCache, bytes, this.#sites.transfer);
  }

  endTransfer(request: PinRequest): void {
    this.#shard.complete(request, referenced, Layer.engine, this.#sites.transferred);
  }

  beginZeroes(bytes: number): PinRequest {
    return this.#shard.acquire(referenced, Layer.device, zeroes, bytes, Site['device.zeroes']);
  }

  endZeroes(request: PinRequest): void {
    this.#shard.complete(request, referenced, Layer.device, Site['device.zeroed']);
  }

  /** Before a system call reads or writes the bounce buffer. */
  beginBounce(bytes: number): PinRequest {
    return this.#shard.acquire(pinned, Layer.device, bounce, bytes, Site['device.bounce']);
  }

  endBounce(request: PinRequest): void {
    this.#shard.complete(request, pinned, Layer.device, Site['device.bounced']);
  }

  /** The bytes that came with the socket are the session's until `use` has taken them. */
  takeOver(bytes: Uint8Array, use: (bytes: Uint8Array) => void): void {
    const { preload: acquired, preloaded: released } = this.#sites;
    const request = this.#shard.acquire(transferred, Layer.engine, preload, bytes.length, acquired);
    use(bytes);
    this.#shard.complete(request, transferred, Layer.engine, released);
  }

  /**
   * The session is over: replies that were not sent will not be, and no call refers to their buffer any more. Gives back
   * the buffers.
   *
   * @returns whether they may be lent to another session (E12)
   */
  end(): boolean {
    this.#reading = this.#over(this.#reading, this.#sites.end);
    this.#lending = this.#over(this.#lending, this.#sites.end, referenced);
    this.#sending = this.#over(this.#sending, this.#sites.end);
    this.#shard.drop(input, this.#sites.end);
    this.#shard.drop(output, this.#sites.end);
    return !this.#shard.maybePinned(input) && !this.#shard.maybePinned(output);
  }

  #over(request: PinRequest, site: Site, variant: Variant = pinned): PinRequest {
    if (request !== NONE) this.#shard.complete(request, variant, Layer.engine, site);
    return NONE;
  }
}
