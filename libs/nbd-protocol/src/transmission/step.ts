/**
 * What a transmission asks of its driver; the operands are fields of the machine. The driver does it, reports by
 * the method named, and asks again. Integers, because one is returned for every request served.
 */
export const Step = {
  /**
   * Fill some of `input` at `inputOffset`, at most `inputLength` bytes → `received(n)`; 0 is the end of the stream. If
   * `brief`, and nothing comes for PAYLOAD_WAIT_MS → `silent()`.
   */
  receive: 0,
  /** Send `outputLength` bytes of `output` from `outputOffset`, all of them; `more` is 1 when data follows → `sent()`. */
  send: 1,
  /** Read `length` bytes at `fileOffset` into `output` at `bufferOffset`, all of them → `completed(errno)`. */
  read: 2,
  /** Write `length` bytes of `input` at `bufferOffset` to `fileOffset`, on stable storage if `durable` → `completed(errno)`. */
  write: 3,
  /** Bring every write completed so far to stable storage → `completed(errno)`. */
  flush: 4,
  /** Discard `length` bytes at `fileOffset`, on stable storage if `durable` → `completed(errno)`. */
  trim: 5,
  /** Zero `length` bytes at `fileOffset`; honour `durable`, `noHole` and `fast` → `completed(errno)`. */
  zero: 6,
  /** Begin to bring `length` bytes at `fileOffset` into memory, as much as is sensible → `completed(errno)`. */
  cache: 7,
  /**
   * Append to `extents` what `context` says from `fileOffset` on, one extent after the other: at least one, until `length`
   * bytes are covered or the list is full. The last may go beyond → `completed(errno)`.
   */
  extents: 8,
  /** Send `length` bytes of the file at `fileOffset` straight to the socket → `transferred(n, errno)`. */
  transfer: 9,
  /** Wait until the pace may admit the next request, or is to be asked for another reason → `waited()`. */
  wait: 10,
  /** Close the connection; `closeReason` says why. There is no next step. */
  close: 11,
} as const;
export type StepCode = (typeof Step)[keyof typeof Step];

/** Why a transmission ended. */
export type TransmissionEnd =
  /** The client sent DISC; everything before it was answered (T15). */
  | 'disconnect'
  /** The stream ended between two requests: a client that left without DISC. */
  | 'end-of-stream'
  /** The stream ended within a request. */
  | 'truncated-request'
  /** Something else than a request where a request must begin (T7). */
  | 'bad-magic'
  /** A payload longer than the maximum (T1). */
  | 'payload-too-large'
  /** A READ failed after its simple reply was begun, so that the error cannot be told (T10). */
  | 'io-error';
