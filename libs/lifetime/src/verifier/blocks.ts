import { unreachable } from '@holdfast/foundation';
import type { Instruction } from '../program/instruction.js';
import { BLOCK_DEPTH_MAX } from '../program/limits.js';
import { Refusal } from './refusal.js';

/** Where execution may go on, as numbers of instructions in the same list; the length of the list is its end. */
export interface Jump {
  readonly next: number;
  /** Where an `if` goes that does not hold, and a loop that is over. */
  readonly otherwise: number | undefined;
  /** Of an `end`: the `loop` that it closes; once linked, the `turn` behind that. */
  readonly closes: number | undefined;
}

interface Block {
  readonly opener: number;
  readonly kind: 'if' | 'else' | 'loop';
  readonly breaks: number[];
}

/** A refusal at one instruction of a list. */
export class BlockRefusal extends Refusal {
  readonly instruction: number;

  constructor(rule: 'unbalanced-block' | 'limit-exceeded', instruction: number, message: string) {
    super(rule, message);
    this.instruction = instruction;
  }
}

/**
 * Matches what opens blocks with what closes them.
 *
 * @throws BlockRefusal unbalanced-block, limit-exceeded
 */
export function matchBlocks(body: readonly Instruction[]): Jump[] {
  const jumps: Jump[] = [];
  const open: Block[] = [];
  for (const [index, { op }] of body.entries()) {
    jumps.push({ next: op === 'return' ? body.length : index + 1, otherwise: undefined, closes: undefined });
    switch (op) {
      case 'if':
      case 'loop':
        if (open.length === BLOCK_DEPTH_MAX) {
          throw new BlockRefusal(
            'limit-exceeded',
            index,
            `at most ${BLOCK_DEPTH_MAX} blocks are inside each other`,
          );
        }
        open.push({ opener: index, kind: op, breaks: [] });
        break;
      case 'break': {
        const loop = open.findLast(({ kind }) => kind === 'loop');
        if (loop === undefined)
          throw new BlockRefusal('unbalanced-block', index, 'a break is inside of no loop');
        loop.breaks.push(index);
        break;
      }
      case 'else': {
        const block = open.pop();
        if (block?.kind !== 'if') throw new BlockRefusal('unbalanced-block', index, 'an else has no if');
        redirect(jumps, block.opener, { otherwise: index + 1 });
        open.push({ opener: index, kind: 'else', breaks: [] });
        break;
      }
      case 'end': {
        const block = open.pop();
        if (block === undefined) throw new BlockRefusal('unbalanced-block', index, 'an end closes nothing');
        close(jumps, block, index);
        break;
      }
      case 'argument':
      case 'add':
      case 'alloc':
      case 'exchange':
      case 'free':
      case 'call':
      case 'return':
        break;
      default:
        unreachable(op);
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    throw new BlockRefusal(
      'unbalanced-block',
      unclosed.opener,
      `this ${unclosed.kind} is not closed by an end`,
    );
  }
  return jumps;
}

function close(jumps: Jump[], { opener, kind, breaks }: Block, end: number): void {
  switch (kind) {
    case 'if':
      redirect(jumps, opener, { otherwise: end });
      return;
    case 'else':
      // The first branch falls into the `else`, and passes over the second.
      redirect(jumps, opener, { next: end });
      return;
    case 'loop':
      redirect(jumps, opener, { otherwise: end + 1 });
      redirect(jumps, end, { next: opener, closes: opener });
      for (const index of breaks) redirect(jumps, index, { next: end + 1 });
  }
}

function redirect(jumps: Jump[], index: number, to: Partial<Jump>): void {
  const jump = jumps[index];
  if (jump !== undefined) jumps[index] = { ...jump, ...to };
}
