import { HoldfastError } from '@holdfast/foundation';
import { NbdError } from '@holdfast/nbd-protocol';
import { serverText } from './server-text.js';

/** The name of an error that NBD has, such as `ENOSPC`. */
export type NbdErrorName = keyof typeof NbdError;

/** The name of an error on the wire. Spec, "Error values": one that is not in the set counts as EINVAL. */
export function nbdErrorName(error: number): NbdErrorName {
  const names = Object.keys(NbdError) as NbdErrorName[];
  return names.find((name) => NbdError[name] === error) ?? 'EINVAL';
}

/** One error that a reply carries. */
export interface ReplyFault {
  /** As it came, an `NbdError` or not. */
  readonly error: number;
  /** What the server says about it; empty if it says nothing. */
  readonly message: string;
  /** Where on the export it is, bytes; undefined if the whole request is meant. */
  readonly offset: bigint | undefined;
}

/** A server answered a request with an error. The connection lives on. */
export class NbdReplyError extends HoldfastError {
  readonly errorName: NbdErrorName;
  /** The command that failed, such as `READ`. */
  readonly command: string;
  /** What the server says about the first error; empty if it says nothing. */
  readonly serverMessage: string;
  /** Where on the export the first error is, bytes; undefined if the whole request is meant. */
  readonly offset: bigint | undefined;
  /** All errors of the reply, in the order in which they came; at least one. */
  readonly faults: readonly ReplyFault[];

  constructor(command: string, faults: readonly [ReplyFault, ...ReplyFault[]]) {
    const [{ error, message, offset }] = faults;
    const errorName = nbdErrorName(error);
    const where = offset === undefined ? '' : ` at offset ${offset}`;
    const words = serverText(message);
    super(
      'NBD_REQUEST_FAILED',
      `the NBD server answered ${command} with ${errorName}${where}${words === '' ? '' : `: ${words}`}`,
      { command, error: errorName, ...(offset === undefined ? {} : { offset: String(offset) }) },
    );
    this.errorName = errorName;
    this.command = command;
    this.serverMessage = message;
    this.offset = offset;
    this.faults = faults;
  }
}
