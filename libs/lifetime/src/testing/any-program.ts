import fc from 'fast-check';
import type { Instruction, LoopTimes, Operand } from '../program/instruction.js';
import type { Program } from '../program/program.js';
import type { Environment } from '../verifier/environment.js';
import type { VerifiedProgram } from '../verifier/verified-program.js';
import { verify } from '../verifier/verify.js';
import { BodyBuilder, Tape } from './program-builder.js';

const PARAMETERS = ['first', 'count'];

const tape = fc.array(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 120, size: 'max' });

/**
 * Programs that keep the rules, nearly all of them: `if` and `loop` inside each other, steps, breaks, indexes by register.
 * A few are rejected, since two allocators would get into one field.
 */
export function anyProgram(environment: Environment, name = 'random'): fc.Arbitrary<Program> {
  return fc.tuple(tape, tape, tape).map(([main, one, other]) => {
    // Each has registers of its own, so that a call disturbs nothing.
    const body = (
      numbers: readonly number[],
      actions: number,
      steps: readonly string[],
      first: number,
      end: number,
    ) => {
      const registers = Array.from({ length: end - first }, (_, index) => first + index);
      return new BodyBuilder(environment, new Tape(numbers), PARAMETERS, steps, registers).build(actions);
    };
    return {
      name,
      parameters: PARAMETERS,
      body: body(main, 30, ['one', 'other'], 0, 10),
      steps: [
        { name: 'one', body: body(one, 3, ['other'], 10, 13) },
        { name: 'other', body: body(other, 3, [], 13, 16) },
      ],
    };
  });
}

/** Those of {@link anyProgram} that the verifier accepts. */
export function anyVerifiedProgram(environment: Environment, name?: string): fc.Arbitrary<VerifiedProgram> {
  return anyProgram(environment, name)
    .map((program) => verify(program, environment))
    .filter((verdict) => verdict.verdict === 'accepted')
    .map(({ verified }) => verified);
}

/** What makes blocks: without it, or with more of it, nothing else would be looked at. */
function isBlock({ op }: Instruction): boolean {
  return op === 'if' || op === 'else' || op === 'loop' || op === 'end';
}

/** Programs that kept the rules before one or two of their instructions were removed, repeated, added or unguarded. */
export function anyMutatedProgram(environment: Environment): fc.Arbitrary<Program> {
  const added = anyNamedInstruction(environment).filter((instruction) => !isBlock(instruction));
  const mutation = fc.record({
    at: fc.nat({ max: 60 }),
    kind: fc.constantFrom('remove', 'repeat', 'add', 'unguard'),
    added,
  });
  return fc
    .tuple(anyProgram(environment), fc.array(mutation, { minLength: 1, maxLength: 2 }))
    .map(([program, mutations]) => ({
      ...program,
      body: mutations.reduce<readonly Instruction[]>((body, mutated) => {
        const place = mutated.at % Math.max(1, body.length);
        if (mutated.kind === 'add') return body.toSpliced(place, 0, mutated.added);
        if (mutated.kind === 'unguard') return withoutGuard(body, place);
        const old = body[place];
        if (old === undefined || isBlock(old)) return body;
        return body.toSpliced(place, 1, ...(mutated.kind === 'repeat' ? [old, old] : []));
      }, program.body),
    }));
}

/** Without the next `if` that guards one instruction, from `place` on. */
function withoutGuard(body: readonly Instruction[], place: number): readonly Instruction[] {
  const guard = body.findIndex(
    ({ op }, index) => index >= place && op === 'if' && body[index + 2]?.op === 'end',
  );
  return guard < 0 ? body : body.toSpliced(guard, 3, ...body.slice(guard + 1, guard + 2));
}

const register = fc.nat({ max: 4 });

/** Single instructions that are well-formed, name what is there, and make no sense together. */
export function anyNamedInstruction(environment: Environment): fc.Arbitrary<Instruction> {
  const fields = [...environment.maps].flatMap(([map, type]) =>
    [...type.fields.keys()].map((field) => ({ map, field })),
  );
  return instructionOf({
    register,
    integer: fc.nat({ max: 4 }),
    allocator: fc.constantFrom(...environment.allocators.keys()),
    field: fc.constantFrom(...fields),
    parameter: fc.constantFrom(...PARAMETERS),
    step: fc.constantFrom('one', 'other'),
  });
}

/** Single instructions that are of the types, and nothing else: no register, number or name need make sense. */
export const anyInstruction: fc.Arbitrary<Instruction> = (() => {
  const name = fc.oneof(fc.constantFrom('fast', 'volume', 'chunk', 'one', 'first'), fc.string());
  return instructionOf({
    register: fc.oneof({ weight: 12, arbitrary: register }, fc.integer(), fc.double()),
    integer: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 4 }) }, fc.integer(), fc.double()),
    allocator: name,
    field: fc.record({ map: name, field: name }),
    parameter: name,
    step: name,
  });
})();

function instructionOf(parts: {
  register: fc.Arbitrary<number>;
  integer: fc.Arbitrary<number>;
  allocator: fc.Arbitrary<string>;
  field: fc.Arbitrary<{ map: string; field: string }>;
  parameter: fc.Arbitrary<string>;
  step: fc.Arbitrary<string>;
}): fc.Arbitrary<Instruction> {
  const { register: into, integer } = parts;
  const constant = fc.record({ kind: fc.constant('constant' as const), value: integer });
  const operand: fc.Arbitrary<Operand> = fc.oneof(
    constant,
    fc.record({ kind: fc.constant('register' as const), register: into }),
  );
  const times: fc.Arbitrary<LoopTimes> = fc.oneof(
    constant,
    fc.record({ kind: fc.constant('register' as const), register: into, atMost: integer }),
  );
  const place = fc.tuple(parts.field, operand).map(([field, index]) => ({ ...field, index }));
  const op = <const Op extends string>(word: Op) => fc.constant(word);
  return fc.oneof(
    fc.record({ op: op('argument'), into, parameter: parts.parameter }),
    fc.record({ op: op('add'), into, left: into, right: operand }),
    fc.record({ op: op('alloc'), into, allocator: parts.allocator }),
    fc.record({ op: op('exchange'), into, place, value: fc.option(into) }),
    fc.record({ op: op('free'), register: into }),
    fc.record({ op: op('if'), register: into, is: fc.constantFrom('null' as const, 'not-null' as const) }),
    fc.record({ op: op('loop'), counter: into, times }),
    fc.record({ op: op('call'), step: parts.step }),
    fc.record({
      op: fc.constantFrom(
        'else' as const,
        'end' as const,
        'end' as const,
        'break' as const,
        'return' as const,
      ),
    }),
  );
}
