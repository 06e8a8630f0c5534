import { Buffer } from 'node:buffer';
import { HoldfastError } from '@holdfast/foundation';
import type { Instruction } from './instruction.js';
import { InstructionParser } from './instruction-parser.js';
import { BLOCK_DEPTH_MAX, INSTRUCTIONS_MAX, PARAMETERS_MAX, PROGRAM_BYTES_MAX, STEPS_MAX } from './limits.js';
import type { Program, SourceLines, Step } from './program.js';
import { malformed } from './scanner.js';

/** A program, and where its instructions stand in the text. */
export interface ParsedProgram {
  readonly program: Program;
  readonly lines: SourceLines;
}

/**
 * Reads the text of a program:
 *
 * ```text
 * text      := program { step }
 * program   := "program" NAME [ "(" NAME { "," NAME } ")" ] "{" newline { line } "}" newline
 * step      := "step" NAME "{" newline { line } "}" newline
 * line      := instruction newline
 * ```
 *
 * Instructions are those of `instruction.ts`. Empty lines, and `#` up to the end of a line, mean nothing.
 *
 * @throws HoldfastError PROGRAM_MALFORMED with `line`, `column` and `expected`
 */
export function parseProgram(text: string): ParsedProgram {
  // Before a copy of any part of it is made.
  if (text.length > PROGRAM_BYTES_MAX || Buffer.byteLength(text) > PROGRAM_BYTES_MAX) {
    const most = `at most ${PROGRAM_BYTES_MAX} bytes`;
    throw new HoldfastError('PROGRAM_MALFORMED', `the text must have ${most}`, { expected: most });
  }
  return new ProgramParser(text).program();
}

class ProgramParser extends InstructionParser {
  #instructions = 0;

  program(): ParsedProgram {
    this.newlines();
    this.keyword('program');
    const name = this.name('the name of the program');
    const parameters = this.at('(') ? this.#parameters() : [];
    const main = this.#body();
    const steps: Step[] = [];
    const lines: (readonly number[])[] = [];
    while (this.#isMore()) {
      const { token } = this;
      this.keyword('step', '"step" or the end of the text');
      if (steps.length === STEPS_MAX) throw malformed(token, `at most ${STEPS_MAX} steps`);
      const step = this.name('the name of the step');
      const { body, lines: stepLines } = this.#body();
      steps.push({ name: step, body });
      lines.push(stepLines);
    }
    return {
      program: { name, parameters, body: main.body, steps },
      lines: { body: main.lines, steps: lines },
    };
  }

  #isMore(): boolean {
    this.newlines();
    return this.token.kind !== 'end';
  }

  #parameters(): string[] {
    const parameters: string[] = [];
    this.sign('(');
    for (;;) {
      if (parameters.length === PARAMETERS_MAX)
        throw malformed(this.token, `at most ${PARAMETERS_MAX} arguments`);
      parameters.push(this.name('the name of an argument'));
      if (this.at(')')) break;
      this.sign(',', '"," or ")"');
    }
    this.sign(')');
    return parameters;
  }

  #body(): { body: Instruction[]; lines: number[] } {
    const body: Instruction[] = [];
    const lines: number[] = [];
    const open: ('if' | 'else' | 'loop')[] = [];
    this.sign('{');
    this.lineEnd();
    for (;;) {
      this.newlines();
      const { token } = this;
      if (open.length === 0 && this.at('}')) {
        this.sign('}');
        this.lineEnd();
        return { body, lines: [...lines, token.line] };
      }
      if (this.#instructions === INSTRUCTIONS_MAX) {
        throw malformed(token, `at most ${INSTRUCTIONS_MAX} instructions`);
      }
      const instruction = this.instruction(open);
      if (instruction.op === 'end' || instruction.op === 'else') open.pop();
      if (instruction.op === 'if' || instruction.op === 'loop' || instruction.op === 'else') {
        if (open.length === BLOCK_DEPTH_MAX)
          throw malformed(token, `at most ${BLOCK_DEPTH_MAX} blocks inside blocks`);
        open.push(instruction.op);
      }
      this.#instructions += 1;
      body.push(instruction);
      lines.push(token.line);
      this.lineEnd();
    }
  }
}
