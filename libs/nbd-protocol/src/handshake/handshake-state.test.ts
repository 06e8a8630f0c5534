import { expect, test } from 'vitest';
import { transition } from './handshake-state.js';

test('a declared transition leads where it says', () => {
  expect(transition({ phase: 'client-flags' }, { phase: 'option-header' })).toEqual({
    phase: 'option-header',
  });
});

test('an undeclared transition does not compile, and throws by name', () => {
  // @ts-expect-error no transmission without an option
  expect(() => transition({ phase: 'client-flags' }, { phase: 'transmission' })).toThrow(
    'a handshake goes from client-flags to transmission',
  );
  // @ts-expect-error the end is final
  expect(() => transition({ phase: 'closed' }, { phase: 'option-header' })).toThrow();
});
