import { assert } from '@holdfast/foundation';
import type { Instruction, LoopInstruction } from '../program/instruction.js';
import { CALL_DEPTH_MAX, LINKED_INSTRUCTIONS_MAX } from '../program/limits.js';
import { canonicalLines } from '../program/print.js';
import type { Program, SourceLines } from '../program/program.js';
import { BlockRefusal, matchBlocks, type Jump } from './blocks.js';
import { checkForm, checkInstruction } from './form.js';
import type { Location } from './location.js';
import { Refusal } from './refusal.js';

/**
 * What has no line of its own. `turn`: behind each `loop`, to which its `end` leads back; it counts, and decides whether
 * there is another turn. `exit`: the end of the program, once, as the last.
 */
export type LinkedOnly = { readonly op: 'turn'; readonly of: LoopInstruction } | { readonly op: 'exit' };

/** An instruction with the numbers of those that may follow it. Each call is followed by its step. */
export interface LinkedInstruction extends Jump {
  readonly instruction: Instruction | LinkedOnly;
  readonly location: Location;
}

/** A refusal, and where. */
export class LocatedRefusal extends Error {
  override readonly name = 'LocatedRefusal';
  readonly refusal: Refusal;
  readonly location: Location;

  constructor(refusal: Refusal, location: Location) {
    super(refusal.message);
    this.refusal = refusal;
    this.location = location;
  }
}

interface Routine {
  readonly name: string | undefined;
  readonly body: readonly Instruction[];
  readonly lines: readonly number[];
  readonly jumps: readonly Jump[];
}

/**
 * One list of instructions without names of steps: what the verifier follows and the interpreter executes.
 *
 * @throws LocatedRefusal malformed-instruction, limit-exceeded, duplicate-name, unbalanced-block, unknown-step,
 * recursive-step
 */
export function link(program: Program, lines: SourceLines = canonicalLines(program)): LinkedInstruction[] {
  return new Linker(program, lines).linked;
}

class Linker {
  readonly linked: LinkedInstruction[] = [];
  readonly #steps: ReadonlyMap<string, Routine>;

  constructor(program: Program, lines: SourceLines) {
    try {
      checkForm(program);
    } catch (error) {
      throw located(error, { step: undefined, instruction: 0, line: 1, calls: [] });
    }
    this.#steps = new Map(
      program.steps.map(({ name, body }, index) => [name, routine(name, body, lines.steps[index] ?? [])]),
    );
    const main = routine(undefined, program.body, lines.body);
    this.#append(main, []);
    this.#push({ op: 'exit' }, locationOf(main, main.body.length, []));
  }

  /** Two passes, since a jump goes over steps that are put in between. */
  #append(routine: Routine, calls: Location['calls']): void {
    const places: number[] = [];
    for (const [index, instruction] of routine.body.entries()) {
      const location = locationOf(routine, index, calls);
      places.push(this.linked.length);
      if (this.linked.length >= LINKED_INSTRUCTIONS_MAX) {
        const message = `with a copy of each step for each call, there are more than ${LINKED_INSTRUCTIONS_MAX} instructions`;
        throw new LocatedRefusal(new Refusal('limit-exceeded', message), location);
      }
      this.#push(instruction, location);
      if (instruction.op === 'loop') this.#push({ op: 'turn', of: instruction }, location);
      if (instruction.op !== 'call') continue;
      const step = this.#callee(instruction.step, routine, location);
      this.#append(step, [...calls, { step: routine.name, instruction: index, line: location.line }]);
    }
    places.push(this.linked.length);
    const placeOf = (index: number) => places[index] ?? this.linked.length;
    for (const [index, jump] of routine.jumps.entries()) {
      const place = placeOf(index);
      const next = placeOf(jump.next);
      const otherwise = jump.otherwise === undefined ? undefined : placeOf(jump.otherwise);
      const turn = jump.closes === undefined ? undefined : placeOf(jump.closes) + 1;
      const op = this.linked[place]?.instruction.op;
      if (op === 'call') {
        // Its step stands behind it.
        this.#direct(place, { next: place + 1 });
      } else if (op === 'loop') {
        this.#direct(place, { next: place + 1 });
        this.#direct(place + 1, { next: place + 2, otherwise });
      } else {
        this.#direct(place, { next: turn ?? next, otherwise, closes: turn });
      }
    }
  }

  #push(instruction: Instruction | LinkedOnly, location: Location): void {
    const next = this.linked.length;
    this.linked.push({ instruction, location, next, otherwise: undefined, closes: undefined });
  }

  #direct(place: number, jump: Partial<Jump>): void {
    const linked = this.linked[place];
    assert(linked !== undefined, 'every instruction has a place');
    this.linked[place] = { ...linked, ...jump };
  }

  #callee(name: string, caller: Routine, location: Location): Routine {
    const step = this.#steps.get(name);
    if (step === undefined) {
      throw new LocatedRefusal(new Refusal('unknown-step', `there is no step ${name}`), location);
    }
    const active = [...location.calls.map((call) => call.step), caller.name];
    if (active.includes(name)) {
      const chain = [...active.slice(active.indexOf(name)), name].join(' calls ');
      throw new LocatedRefusal(new Refusal('recursive-step', chain), location);
    }
    if (active.length > CALL_DEPTH_MAX) {
      const refusal = new Refusal('limit-exceeded', `steps call steps at most ${CALL_DEPTH_MAX} deep`);
      throw new LocatedRefusal(refusal, location);
    }
    return step;
  }
}

function routine(name: string | undefined, body: readonly Instruction[], lines: readonly number[]): Routine {
  const place = { name, body, lines, jumps: [] };
  for (const [index, instruction] of body.entries()) {
    try {
      checkInstruction(instruction);
    } catch (error) {
      throw located(error, locationOf(place, index, []));
    }
  }
  try {
    return { ...place, jumps: matchBlocks(body) };
  } catch (error) {
    const index = error instanceof BlockRefusal ? error.instruction : 0;
    throw located(error, locationOf(place, index, []));
  }
}

function locationOf({ name, lines }: Routine, instruction: number, calls: Location['calls']): Location {
  return { step: name, instruction, line: lines[instruction] ?? 0, calls };
}

/** Everything else that is thrown is a broken promise of ours. */
function located(error: unknown, location: Location): unknown {
  return error instanceof Refusal ? new LocatedRefusal(error, location) : error;
}
