import type { Instruction, Operand, Place, Register } from '../program/instruction.js';
import { BLOCK_DEPTH_MAX } from '../program/limits.js';
import { INNER_MAP, type Environment } from '../verifier/environment.js';

/** What a register holds: nothing that is of use, an integer, a handle of some type that may be null, one that is not. */
type Content =
  { readonly kind: 'nothing' | 'integer' } | { readonly kind: 'maybe' | 'held'; readonly type: string };

const NOTHING: Content = { kind: 'nothing' };

/** Numbers by which a builder decides. When they are used up it comes to an end. */
export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get isOver(): boolean {
    return this.#at >= this.#numbers.length;
  }

  next(): number {
    return this.#numbers[this.#at++] ?? 0;
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.next() % Math.max(1, items.length)];
  }
}

/**
 * Builds lists of instructions that keep the rules: it disposes of what a block acquired, and takes back what it gave
 * away, before the block ends. It knows nothing of the verifier but the types.
 */
export class BodyBuilder {
  readonly body: Instruction[] = [];
  readonly #environment: Environment;
  readonly #tape: Tape;
  readonly #registers: readonly Register[];
  readonly #parameters: readonly string[];
  readonly #steps: readonly string[];
  readonly #contents = new Map<Register, Content>();
  #depth = 0;

  constructor(
    environment: Environment,
    tape: Tape,
    parameters: readonly string[],
    steps: readonly string[],
    registers: readonly Register[],
  ) {
    this.#registers = registers;
    this.#environment = environment;
    this.#tape = tape;
    this.#parameters = parameters;
    this.#steps = steps;
  }

  /** At most so many actions; each is a few instructions. */
  build(actions: number): readonly Instruction[] {
    this.#act(actions, undefined);
    this.#restore(new Map());
    return this.body;
  }

  #act(actions: number, loop: ReadonlyMap<Register, Content> | undefined): void {
    for (let count = 0; count < actions && !this.#tape.isOver; count++) {
      switch (this.#tape.next() % 10) {
        case 0:
        case 1:
          this.#alloc();
          break;
        case 2:
          this.#take();
          break;
        case 3:
        case 4:
          this.#swap();
          break;
        case 5:
          this.#dispose(this.#owned());
          break;
        case 6:
          this.#branch(loop);
          break;
        case 7:
          this.#loop();
          break;
        case 8:
          this.#integer();
          break;
        case 9:
          if (loop !== undefined && this.#tape.next() % 2 === 0) this.#break(loop);
          else this.#call();
      }
    }
  }

  #alloc(): void {
    const into = this.#unowned();
    // Mostly the first of its type, since two of them may not flow into one field.
    const all = [...this.#environment.allocators];
    const chosen = this.#tape.pick(all);
    const first = all.find(([, { type }]) => type === chosen?.[1].type);
    const [allocator, { type }] = (this.#tape.next() % 16 === 0 ? chosen : first) ?? ['', { type: '' }];
    if (into === undefined || allocator === '') return;
    this.#emit({ op: 'alloc', into, allocator }, into, { kind: 'maybe', type });
  }

  #take(): void {
    const into = this.#unowned();
    const found = this.#place();
    if (into === undefined || found === undefined) return;
    this.#emit({ op: 'exchange', into, place: found.place, value: null }, into, {
      kind: 'maybe',
      type: found.type,
    });
  }

  /** Gives a handle to a field and gets what was in it, in the same register or in another. */
  #swap(): void {
    const value = this.#owned();
    const content = this.#content(value);
    if (value === undefined || !('type' in content)) return;
    const found = this.#place(content.type);
    if (found === undefined) return;
    const other = this.#tape.next() % 2 === 0 ? this.#unowned() : undefined;
    this.#contents.set(value, NOTHING);
    const into = other ?? value;
    this.#emit({ op: 'exchange', into, place: found.place, value }, into, {
      kind: 'maybe',
      type: content.type,
    });
  }

  #dispose(register: Register | undefined): void {
    const content = this.#content(register);
    if (register === undefined) return;
    if (content.kind === 'maybe') this.body.push({ op: 'if', register, is: 'not-null' });
    this.body.push({ op: 'free', register });
    if (content.kind === 'maybe') this.body.push({ op: 'end' });
    this.#contents.set(register, NOTHING);
  }

  #branch(loop: ReadonlyMap<Register, Content> | undefined): void {
    const register = this.#owned();
    const content = this.#content(register);
    if (register === undefined || content.kind !== 'maybe' || this.#depth >= BLOCK_DEPTH_MAX - 2) return;
    const before = new Map(this.#contents);
    const isNull = this.#tape.next() % 2 === 0;
    this.#depth += 1;
    this.body.push({ op: 'if', register, is: isNull ? 'null' : 'not-null' });
    for (const side of [isNull, !isNull]) {
      this.#contents.set(register, side ? content : { kind: 'held', type: content.type });
      this.#act(this.#tape.next() % 4, loop);
      this.#restore(before);
      if (side === isNull) this.body.push({ op: 'else' });
    }
    this.body.push({ op: 'end' });
    this.#depth -= 1;
  }

  #loop(): void {
    const counter = this.#unowned();
    if (counter === undefined || this.#depth >= BLOCK_DEPTH_MAX - 2) return;
    const register = this.#tape.pick(this.#integers());
    const turns = this.#tape.next() % 4;
    const times =
      register === undefined || this.#tape.next() % 2 === 0
        ? ({ kind: 'constant', value: turns } as const)
        : ({ kind: 'register', register, atMost: 3 } as const);
    this.#emit({ op: 'loop', counter, times }, counter, { kind: 'integer' });
    // In the second turn it may be another one, which may be null.
    for (const [register, content] of this.#contents) {
      if (content.kind === 'held') this.#contents.set(register, { ...content, kind: 'maybe' });
    }
    const before = new Map(this.#contents);
    this.#depth += 1;
    this.#act(this.#tape.next() % 6, before);
    this.#restore(before);
    this.body.push({ op: 'end' });
    this.#depth -= 1;
  }

  /** Leaves a loop when a handle that it got is null. */
  #break(loop: ReadonlyMap<Register, Content>): void {
    const register = this.#owned();
    const content = this.#content(register);
    if (register === undefined || content.kind !== 'maybe') return;
    const before = new Map(this.#contents);
    this.body.push({ op: 'if', register, is: 'null' });
    this.#restore(loop);
    this.body.push({ op: 'break' }, { op: 'end' });
    for (const [one, was] of before) this.#contents.set(one, was);
    this.#contents.set(register, { kind: 'held', type: content.type });
  }

  #integer(): void {
    const into = this.#unowned();
    const left = this.#tape.pick(this.#integers());
    const parameter = this.#tape.pick(this.#parameters);
    if (into === undefined) return;
    if (parameter !== undefined && (left === undefined || this.#tape.next() % 2 === 0)) {
      this.#emit({ op: 'argument', into, parameter }, into, { kind: 'integer' });
    } else if (left !== undefined) {
      this.#emit({ op: 'add', into, left, right: this.#operand(3) }, into, { kind: 'integer' });
    }
  }

  #call(): void {
    const step = this.#tape.pick(this.#steps);
    if (step !== undefined) this.body.push({ op: 'call', step });
  }

  /** Owns again what was owned at the beginning of a block, and nothing else. */
  #restore(before: ReadonlyMap<Register, Content>): void {
    for (const register of this.#registers) {
      const was = before.get(register) ?? NOTHING;
      const is = this.#content(register);
      const sameType = 'type' in was && 'type' in is && was.type === is.type;
      if ('type' in is && !sameType) this.#dispose(register);
      if ('type' in was && !sameType) {
        const found = this.#place(was.type);
        if (found !== undefined) {
          const { place } = found;
          const fixed: Place = { ...place, index: { kind: 'constant', value: 0 } };
          this.body.push({ op: 'exchange', into: register, place: fixed, value: null });
        }
      }
      // What was not null may be null now; and an integer on one side only is of no use behind.
      const kept: Content = 'type' in was ? { kind: 'maybe', type: was.type } : NOTHING;
      this.#contents.set(register, was.kind === 'integer' && is.kind === 'integer' ? was : kept);
    }
  }

  #emit(instruction: Instruction, into: Register, content: Content): void {
    this.body.push(instruction);
    this.#contents.set(into, content);
  }

  #content(register: Register | undefined): Content {
    return (register === undefined ? undefined : this.#contents.get(register)) ?? NOTHING;
  }

  #owned(): Register | undefined {
    return this.#tape.pick(this.#registers.filter((one) => 'type' in this.#content(one)));
  }

  #unowned(): Register | undefined {
    // An integer from before a loop would be gone in its second turn.
    const kinds = this.#depth > 0 ? ['nothing'] : ['nothing', 'integer'];
    return this.#tape.pick(this.#registers.filter((one) => kinds.includes(this.#content(one).kind)));
  }

  #integers(): Register[] {
    return this.#registers.filter((one) => this.#content(one).kind === 'integer');
  }

  #operand(limit: number): Operand {
    const register = this.#tape.pick(this.#integers());
    return register === undefined || this.#tape.next() % 3 === 0
      ? { kind: 'constant', value: this.#tape.next() % limit }
      : { kind: 'register', register };
  }

  #place(type?: string): { place: Place; type: string } | undefined {
    const places = [...this.#environment.maps].flatMap(([map, { entries, fields }]) =>
      [...fields]
        .filter(([, field]) => field.type !== INNER_MAP && (type === undefined || field.type === type))
        .map(([field, found]) => ({ map, entries, field, type: found.type })),
    );
    const found = this.#tape.pick(places);
    if (found === undefined) return undefined;
    const { map, entries, field } = found;
    return { place: { map, index: this.#operand(entries), field }, type: found.type };
  }
}
