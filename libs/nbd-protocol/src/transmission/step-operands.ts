import { ExtentList } from './extent-list.js';
import type { TransmissionEnd } from './step.js';

/**
 * Operands of the step that `next()` returned last; which step has which is told at `Step`. Plain numbers in fixed
 * fields, so that a step allocates nothing. A driver reads them before it reports, and never writes them.
 */
export class StepOperands {
  /** receive: where free input begins, bytes into `input`. */
  inputOffset = 0;
  /** receive: how much is free, bytes; never 0. */
  inputLength = 0;
  /** receive: 1 when what is awaited may never come: after PAYLOAD_WAIT_MS without a byte report `silent()`; else 0. */
  brief = 0;
  /** send: where queued replies begin, bytes into `output`. */
  outputOffset = 0;
  /** send: how much is to be sent, bytes; never 0. */
  outputLength = 0;
  /** send: 1 when data of the same reply follows at once, so that MSG_MORE makes sense; else 0. */
  more = 0;
  /** read, write, trim, zero, cache, extents, transfer: where on the export, bytes. */
  fileOffset = 0;
  /** read, write, trim, zero, cache, extents, transfer: how much, bytes; never 0. */
  length = 0;
  /** read: where into `output`; write: where in `input`; bytes. */
  bufferOffset = 0;
  /** write, trim, zero: 1 when it must be on stable storage before it is reported completed (FUA); else 0. */
  durable = 0;
  /** zero: 1 when the range must stay provisioned (NO_HOLE); else 0. */
  noHole = 0;
  /** zero: 1 when it must fail with ENOTSUP at once rather than be slow (FAST_ZERO, T14); else 0. */
  fast = 0;
  /** extents: the name of the metadata context in whose terms. */
  context = '';
  /** extents: where to report them; empty when it is asked for. */
  readonly extents = new ExtentList();
  /** close: why. */
  closeReason: TransmissionEnd | undefined = undefined;
}
