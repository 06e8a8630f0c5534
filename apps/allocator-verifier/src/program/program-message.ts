import { programName, verifierV1 } from '@holdfast/contracts';
import {
  formatLocation,
  formatSource,
  nameOf,
  printProgram,
  type LoadRejection,
  type Path,
  type VerifiedProgram,
} from '@holdfast/lifetime';
import type { Memory } from '../lifetimes/records.js';
import type { LoadVerdict } from './program.service.js';

const { ProgramRejection } = verifierV1;

export function toProgramMessage({
  name,
  source,
  createTime,
}: {
  readonly name: string;
  readonly source: string;
  readonly createTime: Date;
}): verifierV1.Program {
  return { name: programName.format(name), source, createTime };
}

export function toLoadResponse(verdict: LoadVerdict): verifierV1.LoadProgramResponse {
  const log = [...verdict.log];
  if (verdict.kind === 'loaded') {
    return { verdict: { $case: 'program', value: toProgramMessage(verdict.program.record) }, log };
  }
  return { verdict: { $case: 'rejection', value: rejectionOf(verdict) }, log };
}

/** The canonical text, and where each free goes as the table is now. */
export function toDisassembly(
  { program, freeSites }: VerifiedProgram,
  { table }: Memory,
): verifierV1.DisassembleProgramResponse {
  return {
    text: printProgram(program),
    freeSites: freeSites.flatMap(({ location, sources }) =>
      sources.map((source) => ({
        line: location.line,
        source: formatSource(source),
        allocator: source.kind === 'allocator' ? source.allocator : (table.allocatorOf(source.field) ?? ''),
      })),
    ),
  };
}

function rejectionOf(verdict: Exclude<LoadVerdict, { kind: 'loaded' }>): verifierV1.ProgramRejection {
  if (verdict.kind === 'rejected-by-table') {
    const { message, remedy } = wordsFor(verdict.rejection);
    return ProgramRejection.fromPartial({
      rule: verdict.rejection.reason,
      message,
      remedy,
      path: [...verdict.why],
    });
  }
  const { rule, location, text, message, remedy, paths } = verdict.rejection;
  const { line, instruction, step = '' } = location;
  return { rule, message, remedy, line, instruction, step, text, path: paths.flatMap(linesOf) };
}

function linesOf({ shows, steps }: Path): string[] {
  const heading = shows === '' ? 'path' : `path where ${shows}`;
  if (steps === undefined) return [`${heading}: none was found within the limit of the search`];
  if (steps.length === 0) return [`${heading}: straight, without a branch`];
  return [`${heading}:`, ...steps.map(({ location, took }) => `${formatLocation(location)}: ${took}`)];
}

function wordsFor(rejection: LoadRejection): { readonly message: string; readonly remedy: string } {
  switch (rejection.reason) {
    case 'two-allocators': {
      const [one, other] = rejection.allocators;
      return {
        message: `${nameOf(rejection.field)} would be filled from ${one} and from ${other}`,
        remedy:
          'Unload the programs that bind the field, and empty what is equal to it; then it takes any allocator.',
      };
    }
    case 'allocator-draining':
      return {
        message: `the allocator ${rejection.allocator} is to be destroyed, and hands out nothing`,
        remedy: 'Allocate from another.',
      };
    case 'too-many-rows':
      return {
        message: `the program has ${String(rejection.rows)} rows, and may have ${String(rejection.rowsMax)}`,
        remedy: 'Make two programs of it.',
      };
    case 'allocator-unknown':
    case 'allocator-exists':
      return { message: `the allocator ${rejection.allocator} is not there`, remedy: 'Create it first.' };
    case 'program-loaded':
      return { message: `the program ${rejection.program} is loaded`, remedy: 'Unload it first.' };
  }
}
