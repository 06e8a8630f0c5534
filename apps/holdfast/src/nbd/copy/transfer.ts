import { Buffer } from 'node:buffer';
import type { CopyDestination, CopySource } from './ends/copy-end.js';
import { CopyFailure } from './copy-failure.js';
import { planPieces, type Grid, type Piece } from './plan.js';
import type { Frontier } from './progress/frontier.js';
import type { Tally } from './progress/tally.js';
import { zeroRuns } from './zero-runs.js';

export interface TransferSetup {
  readonly source: CopySource;
  readonly destination: CopyDestination;
  readonly grid: Grid;
  /** A multiple of the grain. */
  readonly from: bigint;
  /** Pieces under way at a time. */
  readonly parallel: number;
  /** Look for zeroes in data too. */
  readonly findZeroes: boolean;
  readonly frontier: Frontier;
  readonly tally: Tally;
  /** No piece is begun any more once it is aborted. */
  readonly stop: AbortSignal;
}

export interface Transfer {
  /** Resolves when all is copied, or stopped. Rejects by the CopyFailure of the first piece that failed. */
  readonly done: Promise<unknown>;
  /** Resolves when no piece is under way any more. */
  readonly settled: Promise<unknown>;
}

/** Begins to copy all pieces, many at a time. */
export function startTransfer(setup: TransferSetup): Transfer {
  const pieces = announced(setup);
  const copiers = Array.from({ length: setup.parallel }, (_, number) => copyPieces(setup, pieces, number));
  return { done: Promise.all(copiers), settled: Promise.allSettled(copiers) };
}

/** The pieces to copy; each is known to be under way before anybody has it. */
async function* announced({
  source,
  grid,
  from,
  frontier,
  stop,
}: TransferSetup): AsyncGenerator<Piece, undefined> {
  const pieces = planPieces(source, grid, from);
  for (;;) {
    const next = await CopyFailure.of(source, pieces.next());
    if (next.done === true || stop.aborted) return;
    frontier.begin(next.value.offset, next.value.length);
    yield next.value;
  }
}

/** One of those that copy side by side, each with a buffer and a connection on either side. */
async function copyPieces(
  setup: TransferSetup,
  pieces: AsyncGenerator<Piece, undefined>,
  number: number,
): Promise<void> {
  let buffer: Buffer | undefined;
  for (;;) {
    // Not `for await`: the first to leave such a loop would end the pieces for the others.
    const { value: piece } = await pieces.next();
    if (piece === undefined) return;
    if (piece.kind === 'zeroes') await makeZeroes(setup, piece.offset, piece.length, number);
    else await copyData(setup, piece, (buffer ??= Buffer.allocUnsafeSlow(setup.grid.dataMax)), number);
    setup.frontier.finish(piece.offset);
  }
}

async function copyData(
  setup: TransferSetup,
  { offset, length }: Piece,
  buffer: Buffer,
  number: number,
): Promise<void> {
  const { source, destination, findZeroes, grid, tally } = setup;
  const data = buffer.subarray(0, Number(length));
  await CopyFailure.of(source, source.read(data, offset, number));
  const runs = findZeroes ? zeroRuns(data, grid.grain) : [{ start: 0, length: data.length, isZero: false }];
  for (const run of runs) {
    const at = offset + BigInt(run.start);
    if (run.isZero) {
      await makeZeroes(setup, at, BigInt(run.length), number);
    } else {
      const part = data.subarray(run.start, run.start + run.length);
      await CopyFailure.of(destination, destination.write(part, at, number));
      tally.data += BigInt(run.length);
    }
  }
}

async function makeZeroes(
  { destination, tally }: TransferSetup,
  offset: bigint,
  length: bigint,
  number: number,
): Promise<void> {
  if (!destination.readsAsZeroes) {
    await CopyFailure.of(destination, destination.writeZeroes(offset, length, number));
  }
  tally.zeroes += length;
}
