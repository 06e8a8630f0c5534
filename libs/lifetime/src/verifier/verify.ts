import { printInstruction } from '../program/print.js';
import type { Program, SourceLines } from '../program/program.js';
import { Analysis, InstructionRefusal } from './analysis.js';
import type { Environment } from './environment.js';
import { link, LocatedRefusal, type LinkedInstruction } from './link.js';
import type { Location } from './location.js';
import { textOf, VerifierLog } from './log.js';
import { PathSearch, type Path } from './path-search.js';
import type { Rejection } from './rejection.js';
import { rules } from './rules.js';
import { Transfer } from './transfer.js';
import type { VerifiedProgram } from './verified-program.js';

export interface VerifyOptions {
  /** Where the instructions stand in the source; in the canonical text if it is left out. */
  readonly lines?: SourceLines;
  /** Keep a log of what was known in front of each instruction. */
  readonly verbose?: boolean;
}

export type Verdict =
  | { readonly verdict: 'accepted'; readonly verified: VerifiedProgram; readonly log: readonly string[] }
  | { readonly verdict: 'rejected'; readonly rejection: Rejection; readonly log: readonly string[] };

/**
 * Proves of a program that it keeps the rules ({@link rules}) on every path, whatever the allocators yield, the fields
 * hold and the arguments are; and finds what it may do to fields. A program that may keep them and cannot be proven to
 * is rejected.
 */
export function verify(program: Program, environment: Environment, options: VerifyOptions = {}): Verdict {
  let code: LinkedInstruction[];
  try {
    code = link(program, options.lines);
  } catch (error) {
    if (!(error instanceof LocatedRefusal)) throw error;
    return {
      verdict: 'rejected',
      rejection: rejectionOf(error, textAt(program, error.location), []),
      log: [],
    };
  }
  return verifyLinked(program, code, environment, options.verbose ?? false);
}

function verifyLinked(
  program: Program,
  code: readonly LinkedInstruction[],
  environment: Environment,
  verbose: boolean,
): Verdict {
  const transfer = new Transfer(program, environment, (linked) => code[linked]?.location.line ?? 0);
  const analysis = new Analysis(code, transfer);
  const log = new VerifierLog(code);
  try {
    analysis.run(
      verbose
        ? (instruction, before) => {
            log.evaluated(instruction, before);
          }
        : undefined,
    );
  } catch (error) {
    if (!(error instanceof InstructionRefusal)) throw error;
    const linked = code[error.instruction];
    const text = linked === undefined ? '' : textOf(linked);
    const paths = new PathSearch(code, transfer).pathsTo(error);
    return { verdict: 'rejected', rejection: rejectionOf(error, text, paths), log: log.lines };
  }
  if (verbose) log.ended(analysis.collector, analysis.evaluations);
  return { verdict: 'accepted', verified: verifiedOf(program, code, environment, analysis), log: log.lines };
}

function verifiedOf(
  program: Program,
  code: readonly LinkedInstruction[],
  environment: Environment,
  { collector }: Analysis,
): VerifiedProgram {
  const { effects, freed } = collector;
  const freeSites = code.flatMap(({ location }, linked) => {
    const sources = freed.get(linked);
    return sources === undefined ? [] : [{ linked, location, sources: [...sources.values()] }];
  });
  const entries = new Map(effects.uses.map(({ map }) => [map, environment.maps.get(map)?.entries ?? 0]));
  const verified: Omit<VerifiedProgram, symbol> = { program, effects, freeSites, code, entries };
  return verified as VerifiedProgram;
}

function rejectionOf({ refusal, location }: LocatedRefusal, text: string, paths: readonly Path[]): Rejection {
  const { rule, message } = refusal;
  return { rule, location, text, message, remedy: rules[rule].remedy, paths };
}

/** The instruction in the source; the program itself where there is none. */
function textAt({ name, body, steps }: Program, { step, instruction }: Location): string {
  const list = step === undefined ? body : steps.find((one) => one.name === step)?.body;
  const found = list?.[instruction];
  return found === undefined ? `program ${name.slice(0, 80)}` : printInstruction(found);
}
