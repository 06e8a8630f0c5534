import { verifierV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import {
  INSTRUCTIONS_MAX,
  STEPS_MAX,
  type Instruction,
  type Operand,
  type Program,
} from '@holdfast/lifetime';

const { Instruction_Word: Word } = verifierV1;

const words: Readonly<Partial<Record<verifierV1.Instruction_Word, 'else' | 'end' | 'break' | 'return'>>> = {
  [Word.WORD_ELSE]: 'else',
  [Word.WORD_END]: 'end',
  [Word.WORD_BREAK]: 'break',
  [Word.WORD_RETURN]: 'return',
};

/**
 * The text of a program, or the program. What its names, registers and numbers are, the verifier looks at.
 *
 * @throws HoldfastError INVALID_ARGUMENT when neither is given, or something is missing
 */
export function parseLoad(program: verifierV1.LoadProgramRequest['program']): string | Program {
  if (program === undefined) throw invalid('program', 'must be a text, or a form');
  if (program.$case === 'source') return program.value;
  const { name, parameters, body, steps } = program.value;
  const count = [body, ...steps.map((step) => step.body)].reduce((sum, { length }) => sum + length, 0);
  if (count > INSTRUCTIONS_MAX || steps.length > STEPS_MAX) {
    const most = `${String(INSTRUCTIONS_MAX)} instructions and ${String(STEPS_MAX)} steps`;
    throw invalid('form', `must have at most ${most}`);
  }
  return {
    name,
    parameters,
    body: body.map(instructionOf),
    steps: steps.map((step) => ({ name: step.name, body: step.body.map(instructionOf) })),
  };
}

function instructionOf({ op }: verifierV1.Instruction): Instruction {
  switch (op?.$case) {
    case 'argument':
      return { op: 'argument', ...op.value };
    case 'add': {
      const { into, left, right } = op.value;
      return { op: 'add', into, left, right: operandOf(right) };
    }
    case 'alloc':
      return { op: 'alloc', ...op.value };
    case 'exchange': {
      const { into, map, index, field, value = null } = op.value;
      const first = { kind: 'constant', value: 0 } as const;
      const place = { map, index: index === undefined ? first : operandOf(index), field };
      return { op: 'exchange', into, place, value };
    }
    case 'free':
      return { op: 'free', register: op.value.register };
    case 'if':
      return { op: 'if', register: op.value.register, is: op.value.isNotNull ? 'not-null' : 'null' };
    case 'loop': {
      const { counter, times, atMost } = op.value;
      const count = operandOf(times);
      return { op: 'loop', counter, times: count.kind === 'constant' ? count : { ...count, atMost } };
    }
    case 'call':
      return { op: 'call', step: op.value };
    case 'word':
    case undefined: {
      const word = op === undefined ? undefined : words[op.value];
      if (word === undefined) throw invalid('form.body.op', 'must be one of the instructions');
      return { op: word };
    }
  }
}

function operandOf(message: verifierV1.Operand | undefined): Operand {
  const { operand } = message ?? {};
  if (operand === undefined) throw invalid('form.body.op.operand', 'must be a number or a register');
  return operand.$case === 'constant'
    ? { kind: 'constant', value: operand.value }
    : { kind: 'register', register: operand.value };
}

function invalid(field: string, rule: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${rule}`, { field });
}
