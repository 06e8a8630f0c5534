import type { Register } from '../program/instruction.js';
import { REGISTERS } from '../program/limits.js';
import { Refusal } from './refusal.js';
import { formatValue, join, UNSET, type RegisterValue } from './value.js';

/** What is known of every register. Never changed, but replaced. */
export type State = readonly RegisterValue[];

export const INITIAL_STATE: State = Array.from({ length: REGISTERS }, () => UNSET);

export function valueOf(state: State, register: Register): RegisterValue {
  return state[register] ?? UNSET;
}

export function withValue(state: State, register: Register, value: RegisterValue): State {
  return state.with(register, value);
}

/**
 * What is known where two paths come together; `known` itself when nothing changes.
 *
 * @throws Refusal ownership-differs, type-mismatch
 */
export function joinStates(known: State, other: State): State {
  let joined: RegisterValue[] | undefined;
  for (const [register, value] of known.entries()) {
    const result = join(value, valueOf(other, register));
    if (typeof result === 'string') throw discord(result, register, value, valueOf(other, register));
    if (result === value) continue;
    joined ??= [...known];
    joined[register] = result;
  }
  return joined ?? known;
}

function discord(
  kind: 'ownership' | 'type',
  register: Register,
  one: RegisterValue,
  other: RegisterValue,
): Refusal {
  const [held, rest] = one.kind === 'handle' ? [one, other] : [other, one];
  const message = `on one path r${register} holds ${formatValue(held)}, on another ${formatValue(rest)}`;
  const witnesses = [held, rest].map((value) => ({
    says: `r${register} holds ${formatValue(value)}`,
    shows: (state: State) => {
      const found = valueOf(state, register);
      // Followed by itself, a path knows more than that nothing may be read: the register may be null, or an integer.
      if (value.kind !== 'handle') return found.kind !== 'handle';
      return found.kind === 'handle' && found.type === value.type;
    },
  }));
  return new Refusal(kind === 'ownership' ? 'ownership-differs' : 'type-mismatch', message, witnesses);
}

/** The registers that hold something, as the log shows them. */
export function formatState(state: State): string {
  return state
    .flatMap((value, register) => (value.kind === 'empty' ? [] : [`r${register}=${formatValue(value)}`]))
    .join('  ');
}
