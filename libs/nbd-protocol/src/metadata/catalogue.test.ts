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

test.each([
  ['base:allocation', 3n, 2n, 2n],
  ['base:allocation', 3n, 0n, 0n],
  ['qemu:allocation-depth', 0n, 2n, 2n],
  ['qemu:allocation-depth', 1n, 2n, 1n],
  ['qemu:allocation-depth', 0n, 0n, 0n],
])('T5 a block that has %s of %i and of %i in parts has %i', (name, some, others, whole) => {
  const definition = findContextDefinition(name);
  expect(definition?.combine(some, others)).toBe(whole);
  expect(definition?.combine(others, some)).toBe(whole);
});
