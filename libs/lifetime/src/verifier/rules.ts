interface RuleEntry {
  readonly meaning: string;
  readonly remedy: string;
}

/** Every rule that the verifier holds programs to: what was found, and what to do. `docs/reference/programs.md` lists them. */
export const rules = {
  'malformed-instruction': {
    meaning: 'A name, a register or a number cannot be what it is.',
    remedy: 'Write the program as text, or keep to the ranges of the reference.',
  },
  'limit-exceeded': {
    meaning: 'The program has more of something than programs may have.',
    remedy: 'Use a loop or a step in place of repetition, or split the program.',
  },
  'unbalanced-block': {
    meaning: 'An `if`, an `else`, a `loop`, a `break` or an `end` does not belong where it is.',
    remedy: 'Close each `if` and `loop` by one `end`, in the same list; leave loops from inside.',
  },
  'duplicate-name': {
    meaning: 'Two steps or two arguments have one name.',
    remedy: 'Rename one of them.',
  },
  'unknown-step': {
    meaning: 'The program has no step of this name.',
    remedy: 'Write the step, or correct the name.',
  },
  'recursive-step': {
    meaning: 'A step calls itself, directly or through others.',
    remedy: 'Use a loop with a bound.',
  },
  'unknown-argument': {
    meaning: 'The program has no argument of this name.',
    remedy: 'Name it in the parentheses behind the name of the program.',
  },
  'unknown-allocator': {
    meaning: 'There is no allocator of this name.',
    remedy: 'Create the allocator first, or correct the name.',
  },
  'unknown-map': {
    meaning: 'There is no map of this name.',
    remedy: 'Create the map first, or correct the name.',
  },
  'unknown-field': {
    meaning: 'The map has no field of this name.',
    remedy: 'Correct the name, or create a map with such a field.',
  },
  'inner-map-field': {
    meaning:
      'The field holds a map. Which allocators the fields of that one are filled from cannot be told from here.',
    remedy: 'Name the inner map itself.',
  },
  'index-out-of-range': {
    meaning: 'The map has no entry of this number.',
    remedy: 'Entries are numbered from 0: use a smaller number.',
  },
  'type-mismatch': {
    meaning: 'A register or a field holds something of another type than what is asked for.',
    remedy: 'Use another register, or a field of the same type.',
  },
  'unset-register': {
    meaning: 'A register is read that has not been set on every path.',
    remedy: 'Set it before, on every path that leads here.',
  },
  'use-after-release': {
    meaning: 'A handle is used after it was stored or freed.',
    remedy: 'Use it before it is given away, or take it back out of the field.',
  },
  'double-free': {
    meaning: 'A handle is freed that was stored or freed before.',
    remedy: 'Free it once: where it is in no field, and nowhere else.',
  },
  'null-free': {
    meaning: 'What is freed may be null.',
    remedy: 'Free it inside `if … is not null { … }`.',
  },
  'overwritten-handle': {
    meaning: 'A register is set while it holds a handle, which would be lost.',
    remedy: 'Store or free the handle first, or use another register.',
  },
  'leaked-handle': {
    meaning: 'The program ends while a register holds a handle.',
    remedy: 'Store or free the handle on this path.',
  },
  'ownership-differs': {
    meaning: 'Paths come together of which one still holds a handle and the other does not.',
    remedy: 'Store or free the handle on the first path before they meet; in a loop, before the turn ends.',
  },
  'allocators-mixed': {
    meaning: 'What two allocators hand out would get into one field, directly or through other fields.',
    remedy: 'Use a field of its own for each allocator.',
  },
  'analysis-limit': {
    meaning: 'The program takes the verifier too long.',
    remedy: 'Use fewer registers across loops, fewer loops inside loops, or fewer calls inside loops.',
  },
} as const satisfies Record<string, RuleEntry>;

export type Rule = keyof typeof rules;
