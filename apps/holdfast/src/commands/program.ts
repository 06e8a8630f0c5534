import { readFileSync } from 'node:fs';
import { programName, verifierV1 } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { Command } from 'commander';
import { printFacts, printJson, printTable } from '../output/print.js';
import { lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { Program, RunProgramResponse, UnloadProgramResponse, DisassembleProgramResponse } = verifierV1;

/** Standard input. */
const STDIN = 0;

interface LoadOptions extends CommonOptions {
  readonly verbose?: boolean;
}

export function programCommand(): Command {
  const program = new Command('program').description(
    'Move chunks between allocators and maps by verified programs',
  );

  forInstance(
    program.command('load <file>').description('Verify a program, and load it; "-" reads standard input'),
  )
    .option('--verbose', 'print what the verifier knew in front of each instruction, on standard error')
    .addHelpText('after', '\nExample:\n  holdfast program load fill.program')
    .action((file: string, { verbose = false, ...options }: LoadOptions) =>
      withInstance(options, async ({ programs }) => {
        const { verdict, log } = await programs.loadProgram({
          program: { $case: 'source', value: readSource(file) },
          verbose,
        });
        for (const line of log) process.stderr.write(`${line}\n`);
        if (verdict?.$case === 'program') show(verdict.value, options);
        else throw rejectionError(verdict?.value);
      }),
    );

  forInstance(
    program
      .command('run <name> [arguments...]')
      .description('Run a program, with a value for each of its arguments'),
  )
    .addHelpText('after', '\nExample:\n  holdfast program run fill first=0 count=16')
    .action((name: string, given: readonly string[], options: CommonOptions) => {
      const values = parseValues(given);
      return withInstance(options, async ({ programs }) => {
        const done = await programs.runProgram({ name: programName.format(name), arguments: values });
        if (options.json === true) printJson(RunProgramResponse.toJSON(done));
        else printFacts(factsOf(done));
      });
    });

  forInstance(program.command('unload <name>').description('Unload a program')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ programs }) => {
        const done = await programs.unloadProgram({ name: programName.format(name) });
        if (options.json === true) printJson(UnloadProgramResponse.toJSON(done));
        else
          for (const one of done.destroyedAllocators) process.stdout.write(`destroyed ${lastSegment(one)}\n`);
      }),
  );

  forInstance(program.command('list').description('List the programs that are loaded')).action(
    (options: CommonOptions) =>
      withInstance(options, async (instance) => {
        const programs = await instance.listPrograms();
        if (options.json === true) printJson(programs.map((one) => Program.toJSON(one)));
        else printTable(['NAME', 'LOADED'], programs.map(row));
      }),
  );

  forInstance(
    program
      .command('show <name>')
      .description('Print a program as it is understood, and which allocator each of its frees goes to now'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ programs }) => {
      const shown = await programs.disassembleProgram({ name: programName.format(name) });
      if (options.json === true) {
        printJson(DisassembleProgramResponse.toJSON(shown));
        return;
      }
      process.stdout.write(shown.text);
      for (const { line, source, allocator } of shown.freeSites) {
        const to = allocator === '' ? 'no allocator that is known yet' : allocator;
        process.stdout.write(`# line ${String(line)} frees what came from ${source}, to ${to}\n`);
      }
    }),
  );
  return program;
}

/** @throws HoldfastError INVALID_ARGUMENT when the file cannot be read */
function readSource(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `${file} cannot be read: ${messageOf(error)}`,
      { file },
      error,
    );
  }
}

/** @throws HoldfastError INVALID_ARGUMENT */
function parseValues(given: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([A-Za-z_][\w-]*)=(\d{1,10})$/.exec(text) ?? [];
      if (name === undefined || Number(value) > 0xffff_ffff) {
        const rule = 'must be NAME=NUMBER, a number from 0 to 4294967295';
        throw new HoldfastError('INVALID_ARGUMENT', `"${text}" ${rule}`, { argument: text });
      }
      return [name, Number(value)] as const;
    }),
  );
}

function rejectionError(rejection: verifierV1.ProgramRejection | undefined): HoldfastError {
  if (rejection === undefined) return new HoldfastError('INTERNAL', 'The answer has no verdict.');
  const { rule, message, remedy, line, instruction, step, text, path } = rejection;
  const where = line === 0 ? [] : [`line ${String(line)}, instruction ${String(instruction)}: ${text}`];
  const lines = [...where, `${rule}: ${message}.`, ...path.map((one) => `  ${one}`), remedy];
  const metadata = { rule, line: String(line), ...(step !== '' && { step }) };
  return new HoldfastError('PROGRAM_REJECTED', `the program is not accepted: ${lines.join('\n')}`, metadata);
}

function factsOf({ instructions, changed, allocated, freed }: verifierV1.RunProgramResponse) {
  return {
    instructions: String(instructions),
    changed: String(changed),
    allocated: String(allocated),
    freed: String(freed),
  };
}

function show(program: verifierV1.Program, options: CommonOptions): void {
  if (options.json === true) printJson(Program.toJSON(program));
  else process.stdout.write(`loaded ${lastSegment(program.name)}\n`);
}

function row({ name, createTime }: verifierV1.Program): string[] {
  return [lastSegment(name), createTime?.toISOString() ?? '-'];
}
