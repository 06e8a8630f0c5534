import { expect, test } from 'vitest';
import { contextDefinitions, findContextDefinition } from './catalogue.js';

test('N11 every context is known by its name, which has a namespace', () => {
  for (const definition of contextDefinitions) {
    expect(definition.name).toMatch(/^[^\s:]+:[^\s:]+/);
    expect(findContextDefinition(definition.name)).toBe(definition);
  }
  expect(findContextDefinition('base:')).toBe(undefined);
  expect(findContextDefinition('toString')).toBe(undefined);
});

test.each([
  ['base:allocation', 0n, 'data'],
  ['base:allocation', 1n, 'hole'],
  ['base:allocation', 2n, 'zero'],
  ['base:allocation', 3n, 'hole,zero'],
  ['base:allocation', 1n << 40n, 'data'],
  ['qemu:allocation-depth', 0n, 'unallocated'],
  ['qemu:allocation-depth', 1n, 'local'],
  ['qemu:allocation-depth', 3n, 'backing depth 3'],
])('%s of %i is %s', (name, flags, words) => {
  expect(findContextDefinition(name)?.describe(flags)).toBe(words);
});
