import { unreachable } from '@holdfast/foundation';
import type { Instruction, LoopTimes, Operand } from '../program/instruction.js';
import {
  INSTRUCTIONS_MAX,
  INTEGER_MAX,
  LOOP_TIMES_MAX,
  PARAMETERS_MAX,
  REGISTERS,
  STEPS_MAX,
} from '../program/limits.js';
import { isProgramName, type Program } from '../program/program.js';
import { Refusal } from './refusal.js';

/**
 * What the types of a program do not say, and its text has been held to: names, ranges, numbers of things. A program may
 * have come another way.
 *
 * @throws Refusal malformed-instruction, limit-exceeded, duplicate-name
 */
export function checkForm({ name, parameters, body, steps }: Program): void {
  checkCount(parameters.length, PARAMETERS_MAX, 'arguments');
  checkCount(steps.length, STEPS_MAX, 'steps');
  const instructions = steps.reduce((sum, step) => sum + step.body.length, body.length);
  checkCount(instructions, INSTRUCTIONS_MAX, 'instructions');
  checkName(name);
  checkNames(parameters, 'argument');
  checkNames(
    steps.map((step) => step.name),
    'step',
  );
}

function checkCount(count: number, most: number, what: string): void {
  if (count > most)
    throw new Refusal('limit-exceeded', `a program has at most ${most} ${what}, this one ${count}`);
}

function checkNames(names: readonly string[], what: string): void {
  for (const name of names) checkName(name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new Refusal('duplicate-name', `two have the name ${twice}: each ${what} needs its own`);
}

/** @throws Refusal malformed-instruction, limit-exceeded */
export function checkInstruction(instruction: Instruction): void {
  switch (instruction.op) {
    case 'argument':
      checkRegister(instruction.into);
      checkName(instruction.parameter);
      return;
    case 'add':
      checkRegister(instruction.into);
      checkRegister(instruction.left);
      checkOperand(instruction.right);
      return;
    case 'alloc':
      checkRegister(instruction.into);
      checkName(instruction.allocator);
      return;
    case 'exchange':
      checkRegister(instruction.into);
      if (instruction.value !== null) checkRegister(instruction.value);
      checkName(instruction.place.map);
      checkOperand(instruction.place.index);
      checkName(instruction.place.field);
      return;
    case 'free':
    case 'if':
      checkRegister(instruction.register);
      return;
    case 'loop':
      checkRegister(instruction.counter);
      checkTimes(instruction.times);
      return;
    case 'call':
      checkName(instruction.step);
      return;
    case 'else':
    case 'end':
    case 'break':
    case 'return':
      return;
    default:
      unreachable(instruction);
  }
}

function checkName(name: string): void {
  if (!isProgramName(name)) {
    const shown = JSON.stringify(name.slice(0, 80));
    const form = 'a name is a letter, then letters, digits, "_" and "-", 63 in all';
    throw new Refusal('malformed-instruction', `${shown} is no name: ${form}`);
  }
}

function checkRegister(register: number): void {
  if (!Number.isInteger(register) || register < 0 || register >= REGISTERS) {
    const range = `registers are r0 to r${REGISTERS - 1}`;
    throw new Refusal('malformed-instruction', `there is no register ${register}: ${range}`);
  }
}

function checkOperand(operand: Operand): void {
  if (operand.kind === 'register') checkRegister(operand.register);
  else if (!Number.isInteger(operand.value) || operand.value < 0 || operand.value > INTEGER_MAX) {
    throw new Refusal('malformed-instruction', `${operand.value} is no integer from 0 to ${INTEGER_MAX}`);
  }
}

function checkTimes(times: LoopTimes): void {
  checkOperand(times);
  const most = times.kind === 'constant' ? times.value : times.atMost;
  checkOperand({ kind: 'constant', value: most });
  if (most > LOOP_TIMES_MAX) {
    throw new Refusal(
      'limit-exceeded',
      `a loop turns at most ${LOOP_TIMES_MAX} times, this one may turn ${most} times`,
    );
  }
}
