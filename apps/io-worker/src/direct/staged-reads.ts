import { AioContext, Errno, NativeBuffer } from '@holdfast/linux';
import type { PinRequest } from '@holdfast/pin-ledger';
import type { Loans } from '../engine/loans.js';
import type { DirectAccount } from '../pins/session-pins.js';
import { isAligned } from './bounce-piece.js';
import type { DirectAccess } from './direct-access.js';

/** READs of one session that are under way at once: what a fast disk wants, and a client mostly has in flight. */
const READS_MAX = 64;

/** What a thread has for the data of such READs: two of a mebibyte, and all the small ones that there may be. */
export const THREAD_STAGE_BYTES = 2 * 1024 * 1024;

/** Where each READ begins in the stage: what every device takes, and the page that sends copy fastest from. */
const PLACE_BYTES = 4096;

/** What the requests behind the one under way are asked of. */
interface Queue {
  forEachNextRead(visit: (fileOffset: number, length: number) => void): void;
}

interface Stage {
  readonly context: AioContext;
  readonly buffer: NativeBuffer;
}

/**
 * Of this thread: made at first use; null where the kernel refuses. A thread that is ended from outside leaves it with reads
 * under way: the kernel keeps the pages of a read until it is over, and memory of this size goes back to it whole.
 */
let stageOfThread: Stage | null | undefined;

function threadStage(): Stage | null {
  if (stageOfThread === undefined) {
    const context = AioContext.open(READS_MAX);
    stageOfThread =
      typeof context === 'number' ? null : { context, buffer: NativeBuffer.allocate(THREAD_STAGE_BYTES) };
  }
  return stageOfThread;
}

/**
 * Reads past the page cache, of which all that a client has queued are under way at once: the disk then has as much to do
 * as the client wants. Their data is lent to the replies. A READ is begun before what follows it only, so none overtakes a
 * WRITE, TRIM or WRITE_ZEROES of its own session.
 */
export class StagedReads implements Disposable {
  readonly #stage: Stage;
  readonly #fd: number;
  readonly #access: DirectAccess;
  readonly #pins: DirectAccount;
  readonly #queue: Queue;
  readonly #loans: Loans;
  /** Of each READ that was begun: where it is on the device, how long it is, and where its data is. */
  readonly #offsets = new Float64Array(READS_MAX);
  readonly #lengths = new Float64Array(READS_MAX);
  readonly #places = new Float64Array(READS_MAX);
  /** READs that were begun, those of them that were asked for, and bytes of the stage that they take. */
  #begun = 0;
  #taken = 0;
  #used = 0;
  #pinned: PinRequest | undefined;
  readonly #add = (offset: number, length: number): void => {
    this.#prepare(offset, length);
  };

  private constructor(stage: Stage, { fd, access, pins, queue, loans }: StagedSession) {
    this.#stage = stage;
    this.#fd = fd;
    this.#access = access;
    this.#pins = pins;
    this.#queue = queue;
    this.#loans = loans;
  }

  /** @returns undefined where the kernel allows no such reads */
  static of(session: StagedSession): StagedReads | undefined {
    const stage = threadStage();
    return stage === null ? undefined : new StagedReads(stage, session);
  }

  /**
   * Reads a range, and lends it in place of `length` bytes of the output at `place`.
   *
   * @returns 0, or the Linux errno; undefined when it must be read otherwise
   */
  read(place: number, length: number, offset: number): number | undefined {
    if (!this.#loans.hasRoom) return undefined;
    if (this.#taken === this.#begun && !this.#begin(offset, length)) return undefined;
    const slot = this.#taken;
    // One that could not be begun with the others, as it is not aligned.
    if (this.#offsets[slot] !== offset || this.#lengths[slot] !== length) return undefined;
    this.#taken += 1;
    const result = this.#stage.context.result(slot);
    if (result < 0) return result === -Errno.EAGAIN ? undefined : -result;
    // Cut short behind our back: its size was promised.
    if (result < length) return Errno.EIO;
    this.#loans.lend(place, length, this.#stage.buffer.address + (this.#places[slot] ?? 0));
    return 0;
  }

  /** All that was read is sent, or will not be asked for: the stage is free. */
  clear(): void {
    this.#stage.context.settle();
    if (this.#pinned !== undefined) this.#pins.endBounce(this.#pinned);
    this.#pinned = undefined;
    this.#begun = 0;
    this.#taken = 0;
    this.#used = 0;
  }

  /** Waits for what is under way: the kernel writes into the stage until then. */
  [Symbol.dispose](): void {
    this.clear();
  }

  /** Begins this READ and those behind it. @returns whether it could */
  #begin(offset: number, length: number): boolean {
    // Data of those before is lent, and not sent yet.
    if (this.#begun > 0) {
      if (this.#loans.isUsed) return false;
      this.clear();
    }
    if (!this.#prepare(offset, length)) return false;
    this.#queue.forEachNextRead(this.#add);
    this.#pinned = this.#pins.beginBounce(this.#used);
    this.#stage.context.submit(this.#begun);
    return true;
  }

  #prepare(offset: number, length: number): boolean {
    const { context, buffer } = this.#stage;
    const place = this.#used;
    if (this.#begun === READS_MAX || place + length > buffer.length) return false;
    if (!isAligned(this.#access.alignment, buffer.address + place, length, offset)) return false;
    const slot = this.#begun;
    context.prepare(slot, this.#fd, buffer.address + place, length, offset);
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    this.#places[slot] = place;
    this.#begun += 1;
    this.#used = place + Math.ceil(length / PLACE_BYTES) * PLACE_BYTES;
    return true;
  }
}

export interface StagedSession {
  /** Of the device, opened with O_DIRECT. */
  readonly fd: number;
  readonly access: DirectAccess;
  readonly pins: DirectAccount;
  readonly queue: Queue;
  readonly loans: Loans;
}
