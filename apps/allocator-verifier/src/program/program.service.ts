import { HoldfastError } from '@holdfast/foundation';
import {
  canonicalLines,
  Observer,
  parseProgram,
  printProgram,
  verify,
  type Effects,
  type Lock,
  type LoadRejection,
  type Program,
  type Rejection,
  type VerifiedProgram,
} from '@holdfast/lifetime';
import { reached } from '@holdfast/service';
import { environmentOf } from '../lifetimes/environment.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { hasItsMaps, type LoadedProgram } from '../lifetimes/records.js';
import { registersOf } from '../lifetimes/row-columns.js';
import { namedBy, type Named } from './named.js';

/** What became of a program that was to be loaded. */
export type LoadVerdict = { readonly log: readonly string[] } & (
  | { readonly kind: 'loaded'; readonly program: LoadedProgram }
  | { readonly kind: 'rejected-by-verifier'; readonly rejection: Rejection }
  | {
      readonly kind: 'rejected-by-table';
      readonly rejection: LoadRejection;
      /** What binds the field at which two allocators meet. */
      readonly why: readonly string[];
    }
);

/** Loads programs, and unloads them. */
export class ProgramService {
  constructor(private readonly lifetimes: Lifetimes) {}

  /** @throws HoldfastError PROGRAM_NOT_LOADED */
  get(name: string): LoadedProgram {
    return programOf(this.lifetimes, name);
  }

  /**
   * Verifies a program against what there is, and writes all its rows in one transaction.
   *
   * @throws HoldfastError PROGRAM_MALFORMED, PROGRAM_EXISTS
   */
  async load(given: string | Program, verbose: boolean): Promise<LoadVerdict> {
    const isText = typeof given === 'string';
    const { program, lines } = isText
      ? parseProgram(given)
      : { program: given, lines: canonicalLines(given) };
    const source = isText ? given : printProgram(given);
    const named = namedBy(program);
    return this.lifetimes.exclusive(
      () => this.#locksToLoad(program, named),
      async () => {
        const { memory } = this.lifetimes;
        const existing = memory.programs.get(program.name);
        if (existing?.record.source === source) return { kind: 'loaded', program: existing, log: [] };
        if (existing !== undefined) {
          const message = `The program ${program.name} is loaded with another text.`;
          throw new HoldfastError('PROGRAM_EXISTS', message, { program: program.name });
        }
        const verdict = verify(program, environmentOf(named, memory), { lines, verbose });
        const { log } = verdict;
        if (verdict.verdict === 'rejected') {
          return { kind: 'rejected-by-verifier', rejection: verdict.rejection, log };
        }
        return { ...(await this.#enter({ source, log }, verdict.verified, named)), log };
      },
    );
  }

  /**
   * Unloads a program: its rows become discardable, and what nobody needs any more is walked. Unloading what is absent is OK.
   *
   * @returns the allocators that waited for that, and are sealed now
   */
  async unload(name: string): Promise<readonly string[]> {
    const { lifetimes } = this;
    return lifetimes.exclusive(
      () => [...lifetimes.memory.table.unload(name, lifetimes.isEmpty).locks, locked(`program ${name}`)],
      async () => {
        const { table, programs } = lifetimes.memory;
        if (!programs.has(name)) return [];
        const observer = new Observer(lifetimes.isEmpty);
        const change = table.unload(name, observer.isEmpty);
        await reached('program.walked');
        const { observed } = observer;
        await lifetimes.commit({ kind: 'unload', program: name }, change, { unload: name, observed });
        programs.delete(name);
        await reached('program.unloaded');
        return change.allocatorsDestroyed;
      },
    );
  }

  async #enter(
    { source, log }: { readonly source: string; readonly log: readonly string[] },
    verified: VerifiedProgram,
    named: Named,
  ): Promise<
    | { readonly kind: 'loaded'; readonly program: LoadedProgram }
    | {
        readonly kind: 'rejected-by-table';
        readonly rejection: LoadRejection;
        readonly why: readonly string[];
      }
  > {
    const { table, programs, maps } = this.lifetimes.memory;
    const { name } = verified.program;
    const effects = this.#withRegisters(name, verified.effects, named);
    const operation = { kind: 'load' as const, program: name, effects };
    const outcome = table.load(name, effects);
    if (!outcome.accepted) {
      await this.lifetimes.refuse(operation, outcome);
      const { rejection } = outcome;
      const why =
        rejection.reason === 'two-allocators'
          ? table.whyBound(rejection.field, this.lifetimes.isEmpty).words
          : [];
      return { kind: 'rejected-by-table', rejection, why };
    }
    await reached('program.verified');
    const record = { name, source, createTime: new Date() };
    await this.lifetimes.commit(operation, outcome.change, { load: { ...record, log: log.join('\n') } });
    const used = verified.effects.uses.map(({ map }) => [map, maps.get(map)?.number ?? 0n] as const);
    const program = { record, maps: new Map(used), verified };
    programs.set(name, program);
    await reached('program.loaded');
    return { kind: 'loaded', program };
  }

  /** An allocator of which a program holds chunks in registers only is needed by it all the same. */
  #withRegisters(program: string, effects: Effects, { allocators }: Named): Effects {
    const { allocators: known } = this.lifetimes.memory;
    const stored = new Set(effects.stores.map(({ allocator }) => allocator));
    const held = allocators.filter((name) => known.has(name) && !stored.has(name));
    const stores = held.map((allocator) => ({ allocator, into: registersOf(program, allocator) }));
    return { ...effects, stores: [...effects.stores, ...stores] };
  }

  #locksToLoad({ name }: Program, { fields, maps, allocators }: Named): Lock[] {
    const registers = allocators.map((allocator) => registersOf(name, allocator));
    return [
      ...this.lifetimes.memory.table.locksOf([...fields, ...registers]),
      ...maps.map((map) => locked(`map ${map}`, 'shared')),
      ...allocators.map((allocator) => locked(`allocator ${allocator}`, 'shared')),
      locked(`program ${name}`),
    ];
  }
}

/** @throws HoldfastError PROGRAM_NOT_LOADED */
export function programOf({ memory }: Lifetimes, name: string): LoadedProgram {
  const program = memory.programs.get(name);
  if (program !== undefined) return program;
  throw new HoldfastError('PROGRAM_NOT_LOADED', `No program ${name} is loaded.`, { program: name });
}

/** @throws HoldfastError MAP_NOT_FOUND when a map of the program was freed since it was loaded */
export function verifiedOf(
  { memory }: Lifetimes,
  { record, maps, verified }: LoadedProgram,
): VerifiedProgram {
  if (verified !== undefined && hasItsMaps(maps, memory.maps)) return verified;
  throw new HoldfastError(
    'MAP_NOT_FOUND',
    `A map of the program ${record.name} was freed since it was loaded: unload it, and load it anew if there is such a map again.`,
    { program: record.name },
  );
}

export function locked(name: string, mode: Lock['mode'] = 'exclusive'): Lock {
  return { name, mode };
}
