import type { RequestHeader } from './messages/request.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { TransmissionFacts } from './transmission-facts.js';

/** What the parts of one machine share. */
export interface Exchange {
  readonly facts: TransmissionFacts;
  readonly operands: StepOperands;
  /** The request under way. */
  readonly request: RequestHeader;
  readonly counters: TransmissionCounters;
  /** READs, or runs of data within them, of at least this many bytes are transferred. */
  readonly transferMinimum: number;
}
