import type { Extent } from '@holdfast/nbd-client';
import { expect, it } from 'vitest';
import { sumUp, TYPES_MAX } from './totals.js';

// eslint-disable-next-line @typescript-eslint/require-await -- the real ones ask a server
async function* extents(
  ...all: readonly (readonly [length: bigint, flags: bigint])[]
): AsyncGenerator<Extent> {
  let offset = 0n;
  for (const [length, flags] of all) {
    yield { offset, length, flags };
    offset += length;
  }
}

it('adds up by type, in ascending order, with six digits of percent', async () => {
  expect(await sumUp(extents([1n, 3n], [1n, 0n], [1n, 3n]), 3n)).toEqual([
    { type: 0n, bytes: 1n, percent: 33.3333 },
    { type: 3n, bytes: 2n, percent: 66.6667 },
  ]);
});

it('Law 5 a server that makes up a type for each extent is stopped at a stated limit', async () => {
  const many = Array.from({ length: TYPES_MAX + 1 }, (_, flags) => [1n, BigInt(flags)] as const);
  await expect(sumUp(extents(...many), BigInt(many.length))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
});
