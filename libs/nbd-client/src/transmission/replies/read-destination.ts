import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { Loan } from '../../ownership/loan.js';

/** Where the data of a READ goes. Positions count from the start of the request. */
export interface ReadDestination<Result> {
  /** Data has begun to come. Memory is taken now and no sooner, since most of the waiting is before. */
  readonly begin: () => void;
  /** Data, lent for the call. */
  readonly put: (position: number, bytes: Uint8Array) => void;
  readonly putZeroes: (position: number, length: number) => void;
  /** All data was there. */
  readonly result: () => Result;
}

/** A new buffer, which is handed out and is nobody else's: no slice of a pool (A1, A4). */
export function newBuffer(length: number): ReadDestination<Buffer> {
  let buffer: Buffer | undefined;
  // All of it is overwritten before it is handed out, so it need not be zeroed.
  const memory = () => (buffer ??= Buffer.allocUnsafeSlow(length));
  return {
    begin: memory,
    put: (position, bytes) => {
      memory().set(bytes, position);
    },
    putZeroes: (position, count) => {
      memory().fill(0, position, position + count);
    },
    result: memory,
  };
}

/** Memory of the caller. */
export function callerBuffer(target: Uint8Array): ReadDestination<undefined> {
  return {
    begin: () => undefined,
    put: (position, bytes) => {
      target.set(bytes, position);
    },
    putZeroes: (position, count) => {
      target.fill(0, position, position + count);
    },
    result: () => undefined,
  };
}

/** A part of a READ, as it came. */
export type ReadPiece = DataPiece | HolePiece;

/** Bytes that read as zeroes, which the server did not send. */
export interface HolePiece {
  readonly kind: 'hole';
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  readonly length: number;
}

/** Bytes that the server sent. */
export interface DataPiece {
  readonly kind: 'data';
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  readonly length: number;
  /** The bytes, lent until the call that gave the piece returns. @throws AssertionFailure after that */
  readonly borrowData: () => Uint8Array;
  /** The bytes in memory of the caller's own. @throws AssertionFailure after the call that gave the piece */
  readonly copyData: () => Buffer;
}

/**
 * A caller that takes the parts as they come. What it throws fails this READ, not the connection; it is given no more
 * pieces then.
 */
export function pieceByPiece(
  requestOffset: bigint,
  take: (piece: ReadPiece) => void,
): ReadDestination<undefined> {
  let failure: { readonly thrown: unknown } | undefined;
  const give = (piece: ReadPiece) => {
    if (failure !== undefined) return;
    try {
      take(piece);
    } catch (thrown) {
      failure = { thrown };
    }
  };
  return {
    begin: () => undefined,
    put: (position, bytes) => {
      const loan = new Loan(bytes);
      give({
        kind: 'data',
        offset: requestOffset + BigInt(position),
        length: bytes.length,
        borrowData: () => loan.borrow(),
        copyData: () => copyOf(loan.borrow()),
      });
      loan.end();
    },
    putZeroes: (position, length) => {
      assert(length > 0, 'a hole has a length');
      give({ kind: 'hole', offset: requestOffset + BigInt(position), length });
    },
    result: () => {
      if (failure !== undefined) throw failure.thrown;
      return undefined;
    },
  };
}

/** Not `Buffer.from`, which takes small copies from a pool. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
