import { PATH_STATES_MAX } from '../program/limits.js';
import type { InstructionRefusal } from './analysis.js';
import type { LinkedInstruction } from './link.js';
import type { Location } from './location.js';
import { Refusal, type Witness } from './refusal.js';
import { INITIAL_STATE, type State } from './state.js';
import type { Edge, Observer, Transfer } from './transfer.js';
import { formatValue } from './value.js';

/** One decision on a path: where there were two ways, and which one was taken. */
export interface PathStep {
  readonly location: Location;
  readonly took: string;
}

/** A path that leads to an error. */
export interface Path {
  /** What is true at its end; empty when that is the error itself. */
  readonly shows: string;
  /** Undefined when none was found within the limit. */
  readonly steps: readonly PathStep[] | undefined;
}

interface Visit {
  readonly instruction: number;
  readonly state: State;
  readonly previous: Visit | undefined;
  readonly step: PathStep | undefined;
}

const SILENT: Observer = {
  used: () => undefined,
  stored: () => undefined,
  released: () => undefined,
};

/**
 * Finds the shortest paths that lead to a refusal. The analysis joins states, and cannot tell which way they came; here
 * every path is followed by itself, up to a limit.
 */
export class PathSearch {
  readonly #code: readonly LinkedInstruction[];
  readonly #transfer: Transfer;

  constructor(code: readonly LinkedInstruction[], transfer: Transfer) {
    this.#code = code;
    this.#transfer = transfer;
  }

  pathsTo({ refusal, instruction }: InstructionRefusal): Path[] {
    if (refusal.rule === 'analysis-limit') return [];
    const witnesses: readonly Witness[] =
      refusal.witnesses.length > 0
        ? refusal.witnesses
        : [{ says: '', shows: (state) => this.#breaks(refusal, instruction, state) }];
    return witnesses.map(({ says, shows }) => ({
      shows: says,
      steps: this.#search(instruction, shows, 'breadth') ?? this.#search(instruction, shows, 'depth'),
    }));
  }

  /** Breadth first, the first path that is found is the shortest; depth first, one is found where there are too many. */
  #search(
    instruction: number,
    shows: (state: State) => boolean,
    order: 'breadth' | 'depth',
  ): PathStep[] | undefined {
    const visits: Visit[] = [{ instruction: 0, state: INITIAL_STATE, previous: undefined, step: undefined }];
    const seen = new Set<string>();
    let first = 0;
    for (;;) {
      const visit = order === 'breadth' ? visits[first++] : visits.pop();
      if (visit === undefined) return undefined;
      if (visit.instruction === instruction && shows(visit.state)) return stepsOf(visit);
      for (const { to, state, took } of this.#edges(visit)) {
        const key = keyOf(to, state);
        if (seen.has(key) || seen.size === PATH_STATES_MAX) continue;
        seen.add(key);
        const location = this.#code[visit.instruction]?.location;
        const step = took === undefined || location === undefined ? undefined : { location, took };
        visits.push({ instruction: to, state, previous: visit, step });
      }
    }
  }

  /** A path ends where it breaks a rule, be it another one. */
  #edges({ instruction, state }: Visit): Edge[] {
    const linked = this.#code[instruction];
    try {
      return linked === undefined ? [] : this.#transfer.follow(linked, instruction, state, SILENT);
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  }

  #breaks({ rule }: Refusal, instruction: number, state: State): boolean {
    const linked = this.#code[instruction];
    try {
      if (linked !== undefined) this.#transfer.follow(linked, instruction, state, SILENT);
      return false;
    } catch (error) {
      if (error instanceof Refusal) return error.rule === rule;
      throw error;
    }
  }
}

function keyOf(instruction: number, state: State): string {
  const values = state.map((value) =>
    value.kind === 'empty' ? String(value.releasedAt) : formatValue(value),
  );
  return `${instruction} ${values.join(',')}`;
}

function stepsOf(visit: Visit): PathStep[] {
  const steps: PathStep[] = [];
  for (let at: Visit | undefined = visit; at !== undefined; at = at.previous) {
    if (at.step !== undefined) steps.push(at.step);
  }
  return steps.reverse();
}
