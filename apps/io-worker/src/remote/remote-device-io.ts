import { assert } from '@holdfast/foundation';
import { Errno, type NativeBuffer } from '@holdfast/linux';
import { TRANSFER_BYTES_MAX, type Extent, type NbdConnection } from '@holdfast/nbd-client';
import { AllocationState, baseAllocation, type ExtentList } from '@holdfast/nbd-protocol';
import type { EventedDevice } from '../engine/evented-device.js';
import { EXTENTS_AHEAD_BYTES, RANGE_BYTES_MAX_32 } from './limits.js';
import { errnoOf, FlushInDoubtError } from './link-errors.js';
import { transferPieces, type Piece } from './transfer-pieces.js';
import type { UpstreamLink } from './upstream-link.js';
import { FlushDoubt, type WriteLedger } from './write-ledger.js';

const DATA = 0;
const KNOWN_STATES = AllocationState.HOLE | AllocationState.ZERO;

/**
 * One session's access to an export of another NBD server. A request that is larger than the server takes goes there in
 * pieces; all pieces are of one attempt, so that they are sent again together.
 */
export class RemoteDeviceIo implements EventedDevice {
  readonly #link: UpstreamLink;
  readonly #ledger: WriteLedger;
  readonly #doubt: FlushDoubt;

  constructor(link: UpstreamLink, ledger: WriteLedger) {
    this.#link = link;
    this.#ledger = ledger;
    this.#doubt = new FlushDoubt(ledger);
  }

  readCached(): number {
    return Errno.EAGAIN;
  }

  read(into: NativeBuffer, start: number, length: number, offset: number): Promise<number> {
    return this.#carryOut((connection) =>
      together(payloadPieces(connection, offset, length), (piece) => {
        const at = start + piece.offset - offset;
        return connection.readInto(into.bytes.subarray(at, at + piece.length), piece.offset);
      }),
    );
  }

  write(
    from: NativeBuffer,
    start: number,
    length: number,
    offset: number,
    durable: boolean,
  ): Promise<number> {
    return this.#change(durable, (connection) =>
      together(payloadPieces(connection, offset, length), (piece) => {
        const at = start + piece.offset - offset;
        return connection.write(piece.offset, from.bytes.subarray(at, at + piece.length), { fua: durable });
      }),
    );
  }

  /** Fails once after a loss of writes that were answered: it cannot speak for them, and must not seem to (T13). */
  flush(): Promise<number> {
    return this.#carryOut(async (connection) => {
      if (this.#doubt.take()) throw new FlushInDoubtError();
      const { mark } = this.#ledger;
      await connection.flush();
      this.#ledger.flushedUpTo(mark);
    });
  }

  cache(offset: number, length: number): Promise<number> {
    return this.#carryOut((connection) =>
      inTurn(rangePieces(connection, offset, length), (piece) =>
        connection.cache(piece.offset, piece.length),
      ),
    );
  }

  trim(offset: number, length: number, durable: boolean): Promise<number> {
    return this.#change(durable, (connection) =>
      inTurn(rangePieces(connection, offset, length), (piece) =>
        connection.trim(piece.offset, piece.length, { fua: durable }),
      ),
    );
  }

  async zero(
    offset: number,
    length: number,
    durable: boolean,
    noHole: boolean,
    fast: boolean,
  ): Promise<number> {
    // A later piece might be refused when an earlier one is zeroed already, and then it was not fast.
    if (fast && length > RANGE_BYTES_MAX_32) return Errno.EOPNOTSUPP;
    return this.#change(durable, (connection) =>
      inTurn(rangePieces(connection, offset, length), (piece) =>
        connection.writeZeroes(piece.offset, piece.length, { fua: durable, noHole, fast }),
      ),
    );
  }

  /** `base:allocation` as the server tells it; where it does not, all is data, which is always safe to say. */
  extents(
    context: string,
    sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ): Promise<number> {
    if (context !== baseAllocation.name) return Promise.resolve(Errno.EINVAL);
    let at = offset;
    return this.#carryOut(async (connection) => {
      while (at < offset + length && !extents.isFull) {
        const range = askable(connection, sizeBytes, at, offset + length - at);
        if (range === undefined) {
          extents.add(sizeBytes - at, DATA);
          return;
        }
        const [answer] = await connection.blockStatus(at, range);
        assert(answer !== undefined, 'the one metadata context that was selected is answered');
        at += takeExtents(answer.extents, extents);
      }
    });
  }

  #change(durable: boolean, request: (connection: NbdConnection) => Promise<void>): Promise<number> {
    return this.#carryOut(async (connection) => {
      const { era } = this.#ledger;
      await request(connection);
      if (!durable) this.#ledger.answered(era);
    });
  }

  async #carryOut(request: (connection: NbdConnection) => Promise<void>): Promise<number> {
    try {
      await this.#link.run(request);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }
}

/** What fits one READ or WRITE of this server. */
function payloadPieces({ blockSize }: NbdConnection, offset: number, length: number): Piece[] {
  const most = Math.min(blockSize.payloadMaximum, TRANSFER_BYTES_MAX);
  return transferPieces(offset, length, most, blockSize.minimum);
}

/** What fits the length of one request without data. */
function rangePieces({ replyMode }: NbdConnection, offset: number, length: number): Piece[] {
  if (replyMode === 'extended') return [{ offset, length }];
  return transferPieces(offset, length, RANGE_BYTES_MAX_32, 1);
}

/** How much can be asked about from `at` on; undefined if nothing can be. */
function askable(
  { metaContexts, blockSize }: NbdConnection,
  sizeBytes: number,
  at: number,
  length: number,
): number | undefined {
  if (!metaContexts.some(({ name }) => name === baseAllocation.name)) return undefined;
  const wanted = Math.min(Math.max(length, EXTENTS_AHEAD_BYTES), RANGE_BYTES_MAX_32, sizeBytes - at);
  const whole = wanted - (wanted % blockSize.minimum);
  return whole === 0 ? undefined : whole;
}

/** Takes extents while there is room. @returns how many bytes of the export they cover */
function takeExtents(answered: Iterable<Extent>, extents: ExtentList): number {
  let covered = 0;
  for (const { length, flags } of answered) {
    if (extents.isFull) break;
    extents.add(Number(length), Number(flags) & KNOWN_STATES);
    covered += Number(length);
  }
  return covered;
}

/** As many at once as a connection lets; ends when all have, since each uses the buffer that is lent. */
async function together(pieces: readonly Piece[], act: (piece: Piece) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(pieces.map(act));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function inTurn(pieces: readonly Piece[], act: (piece: Piece) => Promise<void>): Promise<void> {
  for (const piece of pieces) await act(piece);
}
