import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import type { Exchange } from './exchange.js';
import type { RequestHeader } from './messages/request.js';
import { ANSWERED, type Progress } from './progress.js';
import { failureOfErrno } from './reply-error.js';
import { Step } from './step.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { Wire } from './wire.js';

/** Carries out the commands that are one step and carry no data: FLUSH, TRIM, CACHE and WRITE_ZEROES. */
export class CommandAnswer {
  readonly #wire: Wire;
  readonly #operands: StepOperands;
  readonly #request: RequestHeader;
  readonly #counters: TransmissionCounters;

  constructor(exchange: Exchange, wire: Wire) {
    this.#wire = wire;
    this.#operands = exchange.operands;
    this.#request = exchange.request;
    this.#counters = exchange.counters;
  }

  begin(): Progress {
    const { type, flags, offset, length } = this.#request;
    const operands = this.#operands;
    operands.fileOffset = offset;
    operands.length = length;
    operands.durable = flags & CommandFlag.FUA;
    if (type === Command.FLUSH) return Step.flush;
    if (type === Command.TRIM) return Step.trim;
    if (type === Command.CACHE) return Step.cache;
    operands.noHole = (flags & CommandFlag.NO_HOLE) === 0 ? 0 : 1;
    operands.fast = (flags & CommandFlag.FAST_ZERO) === 0 ? 0 : 1;
    return Step.zero;
  }

  completed(errno: number): Progress {
    if (errno === 0) {
      this.#wire.replies.pushSuccess(this.#request);
    } else {
      this.#wire.replies.pushError(this.#request, failureOfErrno(errno));
      this.#counters.errors += 1;
    }
    return ANSWERED;
  }
}
