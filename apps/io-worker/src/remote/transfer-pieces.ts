/** A part of a request. */
export interface Piece {
  /** Bytes from the start of the export. */
  readonly offset: number;
  readonly length: number;
}

/**
 * Splits a range into pieces that another server takes: none longer than `maximum`, each but the last a multiple of
 * `blockSize`.
 *
 * @param offset a multiple of `blockSize`
 * @param maximum bytes, at least `blockSize`
 */
export function transferPieces(offset: number, length: number, maximum: number, blockSize: number): Piece[] {
  const step = maximum - (maximum % blockSize);
  const pieces: Piece[] = [];
  for (let done = 0; done < length; done += step) {
    pieces.push({ offset: offset + done, length: Math.min(step, length - done) });
  }
  return pieces;
}
