/** 0 to 15, written `r0` to `r15`. A register holds nothing, an integer, or a handle, which may be null. */
export type Register = number;

/** An integer that is written down, 0 to 2^32−1, or one in a register. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'register'; readonly register: Register };

/** One field of one entry of a map, `volume[3].chunk`. Entry 0 is written `volume.chunk`. */
export interface Place {
  readonly map: string;
  readonly index: Operand;
  readonly field: string;
}

/** How often a loop turns. What only the run knows is bounded: a run that would turn more often is a fault. */
export type LoopTimes =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'register'; readonly register: Register; readonly atMost: number };

/** `r1 = arg NAME`: an argument of the program. */
export interface ArgumentInstruction {
  readonly op: 'argument';
  readonly into: Register;
  readonly parameter: string;
}

/** `r1 = r2 + r3`, `r1 = r2 + 7`: beyond 2^32−1 it is a fault. */
export interface AddInstruction {
  readonly op: 'add';
  readonly into: Register;
  readonly left: Register;
  readonly right: Operand;
}

/** `r0 = alloc ALLOCATOR`: null when the allocator is full. */
export interface AllocInstruction {
  readonly op: 'alloc';
  readonly into: Register;
  readonly allocator: string;
}

/**
 * `r0 = xchg volume[r1].chunk, r2`: the field gets what `value` holds, and `into` what the field held. Afterwards `value`
 * holds nothing, unless it is `into`. A `value` of null stands for the word `null`.
 */
export interface ExchangeInstruction {
  readonly op: 'exchange';
  readonly into: Register;
  readonly place: Place;
  readonly value: Register | null;
}

/** `free r0`: back to the allocator that it came from. */
export interface FreeInstruction {
  readonly op: 'free';
  readonly register: Register;
}

/** `if r0 is null {`, `if r0 is not null {`: up to its `else` or `end`. */
export interface IfInstruction {
  readonly op: 'if';
  readonly register: Register;
  readonly is: 'null' | 'not-null';
}

/** `loop r3 times 16 {`, `loop r3 times r1 at most 64 {`: up to its `end`. The counter is 0 in the first turn. */
export interface LoopInstruction {
  readonly op: 'loop';
  readonly counter: Register;
  readonly times: LoopTimes;
}

/** `call STEP`: a step works on the registers of its caller. */
export interface CallInstruction {
  readonly op: 'call';
  readonly step: string;
}

/** `} else {`, `}`, `break` (out of the innermost loop) and `return` (out of the step, or the program). */
export interface PlainInstruction {
  readonly op: 'else' | 'end' | 'break' | 'return';
}

export type Instruction =
  | ArgumentInstruction
  | AddInstruction
  | AllocInstruction
  | ExchangeInstruction
  | FreeInstruction
  | IfInstruction
  | LoopInstruction
  | CallInstruction
  | PlainInstruction;
