import { HoldfastError } from '@holdfast/foundation';
import { formatLocation, type Location } from './location.js';
import type { Path } from './path-search.js';
import { rules, type Rule } from './rules.js';

/** Why a program is not accepted: the first instruction, in the order of the analysis, at which a rule is broken. */
export interface Rejection {
  readonly rule: Rule;
  readonly location: Location;
  /** The instruction, as a line of the text. */
  readonly text: string;
  /** What is wrong in this case, in one line. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
  /** How execution gets there; empty where that does not matter. */
  readonly paths: readonly Path[];
}

/** A rejection in words, over several lines: where, what, by which path, and what to do. */
export function formatRejection({ rule, location, text, message, remedy, paths }: Rejection): string {
  return [
    `${formatLocation(location)}, instruction ${location.instruction}: ${text}`,
    `${rule}: ${message}.`,
    rules[rule].meaning,
    ...paths.flatMap(formatPath),
    remedy,
  ].join('\n');
}

function formatPath({ shows, steps }: Path): string[] {
  const path = shows === '' ? 'Path' : `Path where ${shows}`;
  if (steps === undefined) return [`${path}: none was found within the limit of the search.`];
  if (steps.length === 0) return [`${path}: straight, without a branch.`];
  return [`${path}:`, ...steps.map(({ location, took }) => `  ${formatLocation(location)}: ${took}`)];
}

/** The error that callers of services get. */
export function rejectionError(program: string, rejection: Rejection): HoldfastError {
  const { rule, location } = rejection;
  return new HoldfastError(
    'PROGRAM_REJECTED',
    `the program ${program} is not accepted: ${formatRejection(rejection)}`,
    {
      program,
      rule,
      line: String(location.line),
      instruction: String(location.instruction),
      ...(location.step === undefined ? {} : { step: location.step }),
    },
  );
}
