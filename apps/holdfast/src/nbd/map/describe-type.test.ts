import { expect, it } from 'vitest';
import { describeType } from './describe-type.js';

it.each([
  ['base:allocation', 0n, 'data'],
  ['base:allocation', 1n, 'hole'],
  ['base:allocation', 2n, 'zero'],
  ['base:allocation', 3n, 'hole,zero'],
  ['base:allocation', 4n, undefined],
  ['qemu:dirty-bitmap:b', 0n, 'clean'],
  ['qemu:dirty-bitmap:b', 1n, 'dirty'],
  ['qemu:dirty-bitmap:b', 2n, undefined],
  ['qemu:allocation-depth', 0n, 'absent'],
  ['qemu:allocation-depth', 1n, 'local'],
  ['qemu:allocation-depth', 7n, 'backing depth 7'],
  ['x:y', 0n, undefined],
])('%s: %i is %s', (context, type, description) => {
  expect(describeType(context, type)).toBe(description);
});
