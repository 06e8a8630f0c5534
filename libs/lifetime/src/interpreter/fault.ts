import { HoldfastError } from '@holdfast/foundation';
import { formatLocation, type Location } from '../verifier/location.js';

/**
 * Why a run was stopped. The last two are violations: the heap and the table do not say the same, which no program and
 * no argument can bring about.
 */
export const faultKinds = {
  'bad-argument': 'An argument is missing, unknown, or no integer from 0 to 4294967295.',
  'index-out-of-range': 'A map has no entry of the number that a register holds.',
  'loop-bound': 'A loop would turn more often than it may at most.',
  'integer-overflow': 'A sum is more than 4294967295.',
  'run-limit': 'The run takes too many instructions.',
  'held-under-placeholder':
    'A field holds an object, and the table knows no allocator that it could come from. It is not freed.',
  'owner-mismatch': 'An object carries the tag of another allocator than the table says. It is not freed.',
} as const satisfies Record<string, string>;

export type FaultKind = keyof typeof faultKinds;

export interface Fault {
  readonly kind: FaultKind;
  /** Undefined for arguments: nothing was executed. */
  readonly location: Location | undefined;
  /** What is wrong in this case, in one line. */
  readonly message: string;
}

/** Whether a fault says that heap and table disagree: to be reported, whoever ran the program (C11). */
export function isViolation({ kind }: Fault): boolean {
  return kind === 'held-under-placeholder' || kind === 'owner-mismatch';
}

/** The error that callers of services get. */
export function faultError(program: string, { kind, location, message }: Fault): HoldfastError {
  const where = location === undefined ? '' : ` at ${formatLocation(location)}`;
  return new HoldfastError(
    'PROGRAM_FAULTED',
    `the run of the program ${program} was stopped${where}, and nothing of it was done: ${message}`,
    { program, fault: kind, ...(location === undefined ? {} : { line: String(location.line) }) },
  );
}
