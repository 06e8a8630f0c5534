import { assert } from '@holdfast/foundation';
import { parseProgram } from '../program/parse.js';
import type { Environment } from '../verifier/environment.js';
import { formatRejection, type Rejection } from '../verifier/rejection.js';
import type { VerifiedProgram } from '../verifier/verified-program.js';
import { verify } from '../verifier/verify.js';
import { SCENE } from './environment.js';

/** A text in whole, or the instructions of a program `test(first, count)`. */
export function textOf(text: string): string {
  return /^\s*(#|program)/.test(text) ? text : `program test(first, count) {\n${text}\n}\n`;
}

/** Verifies a text that must be accepted. */
export function accepted(text: string, environment: Environment = SCENE): VerifiedProgram {
  const { program, lines } = parseProgram(textOf(text));
  const verdict = verify(program, environment, { lines });
  assert(
    verdict.verdict === 'accepted',
    verdict.verdict === 'rejected' ? formatRejection(verdict.rejection) : '',
  );
  return verdict.verified;
}

/** Verifies a text that must be rejected. */
export function rejected(text: string, environment: Environment = SCENE): Rejection {
  const { program, lines } = parseProgram(textOf(text));
  const verdict = verify(program, environment, { lines });
  assert(verdict.verdict === 'rejected', 'the program is rejected');
  return verdict.rejection;
}
