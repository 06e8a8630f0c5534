import { unreachable } from '@holdfast/foundation';
import type { Instruction, LoopTimes, Operand, Place } from './instruction.js';
import type { Program, SourceLines } from './program.js';

/** The canonical text of a program: one instruction a line, two blanks for each block. */
export function printProgram(program: Program): string {
  const parameters = program.parameters.length === 0 ? '' : `(${program.parameters.join(', ')})`;
  const routines = [
    `program ${program.name}${parameters} {\n${printBody(program.body)}}\n`,
    ...program.steps.map(({ name, body }) => `step ${name} {\n${printBody(body)}}\n`),
  ];
  return routines.join('\n');
}

/** Where {@link printProgram} puts each instruction. */
export function canonicalLines(program: Program): SourceLines {
  let line = 0;
  const linesOf = ({ length }: readonly Instruction[]) => {
    // The heading, then the instructions and the brace, then an empty line.
    const lines = Array.from({ length: length + 1 }, (_, index) => line + 2 + index);
    line += length + 3;
    return lines;
  };
  return { body: linesOf(program.body), steps: program.steps.map(({ body }) => linesOf(body)) };
}

function printBody(body: readonly Instruction[]): string {
  let depth = 1;
  let text = '';
  for (const instruction of body) {
    const closes = instruction.op === 'end' || instruction.op === 'else';
    const opens = instruction.op === 'if' || instruction.op === 'loop' || instruction.op === 'else';
    // A list that no parser made may close more than it opened.
    if (closes) depth = Math.max(1, depth - 1);
    text += `${'  '.repeat(depth)}${printInstruction(instruction)}\n`;
    if (opens) depth += 1;
  }
  return text;
}

/** One instruction as a line of the text shows it, without blanks in front. */
export function printInstruction(instruction: Instruction): string {
  switch (instruction.op) {
    case 'argument':
      return `r${instruction.into} = arg ${instruction.parameter}`;
    case 'add':
      return `r${instruction.into} = r${instruction.left} + ${printOperand(instruction.right)}`;
    case 'alloc':
      return `r${instruction.into} = alloc ${instruction.allocator}`;
    case 'exchange': {
      const value = instruction.value === null ? 'null' : `r${instruction.value}`;
      return `r${instruction.into} = xchg ${printPlace(instruction.place)}, ${value}`;
    }
    case 'free':
      return `free r${instruction.register}`;
    case 'if':
      return `if r${instruction.register} is ${instruction.is === 'null' ? 'null' : 'not null'} {`;
    case 'else':
      return '} else {';
    case 'end':
      return '}';
    case 'loop':
      return `loop r${instruction.counter} times ${printTimes(instruction.times)} {`;
    case 'call':
      return `call ${instruction.step}`;
    case 'break':
    case 'return':
      return instruction.op;
    default:
      return unreachable(instruction);
  }
}

function printPlace({ map, index, field }: Place): string {
  const first = index.kind === 'constant' && index.value === 0;
  return first ? `${map}.${field}` : `${map}[${printOperand(index)}].${field}`;
}

function printOperand(operand: Operand): string {
  return operand.kind === 'constant' ? String(operand.value) : `r${operand.register}`;
}

function printTimes(times: LoopTimes): string {
  return times.kind === 'constant' ? String(times.value) : `r${times.register} at most ${times.atMost}`;
}
