import { TransmissionFlag } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { connectToMemory } from '../testing/connected.js';
import { ALL_FLAGS } from '../testing/handshake-script.js';
import { offerFault, upstreamOffer, type OfferedExport } from './upstream-offer.js';

const KIB = 1024;

function offered(change: Partial<OfferedExport['offer']> = {}, sizeBytes = 4096n): OfferedExport {
  const blockSize = { minimum: 512, preferred: 4096, payloadMaximum: 64 * KIB };
  return { sizeBytes, offer: { transmissionFlags: ALL_FLAGS, blockSize, baseAllocation: true, ...change } };
}
const withFlags = (transmissionFlags: number) => offered({ transmissionFlags });
const withMinimum = (minimum: number) =>
  offered({ blockSize: { minimum, preferred: 4096, payloadMaximum: 64 * KIB } });

test('what a server offers is told, and what it does not tell is assumed', async () => {
  const image = Buffer.alloc(4096);
  const served = { mode: 'structured', sizeBytes: 4096, image, contexts: { 'base:allocation': 3 } } as const;
  const full = await connectToMemory(
    { ...served, blockSize: [512, 4096, 65_536] },
    { metaContexts: ['base:allocation'] },
  );
  expect(upstreamOffer(full)).toEqual(offered().offer);
  const plain = await connectToMemory({ ...served, mode: 'simple', flags: 1 });
  expect(upstreamOffer(plain)).toEqual({
    transmissionFlags: 1,
    blockSize: { minimum: 1, preferred: 4096, payloadMaximum: 32 * KIB * KIB },
    baseAllocation: false,
  });
});

describe('D6 an export that comes back', () => {
  test.each([
    ['as it was', offered(), offered()],
    ['with more', withFlags(1), withFlags(ALL_FLAGS)],
    ['writable', withFlags(ALL_FLAGS | TransmissionFlag.READ_ONLY), withFlags(ALL_FLAGS)],
    [
      'without what matters to nobody',
      withFlags(ALL_FLAGS | TransmissionFlag.ROTATIONAL),
      withFlags(ALL_FLAGS & ~TransmissionFlag.SEND_DF),
    ],
    ['with smaller blocks', withMinimum(4096), withMinimum(1)],
    ['without contexts', offered(), offered({ baseAllocation: false })],
  ])('%s may take its place', (_what, was, is) => {
    expect(offerFault(was, is)).toBeUndefined();
  });

  test.each([
    ['with another size', offered(), offered({}, 8192n), 'has 8192 bytes, and had 4096'],
    ['read-only', withFlags(1), withFlags(3), 'can only be read now'],
    ['with less', withFlags(ALL_FLAGS), withFlags(1), 'does not offer SEND_FLUSH, SEND_FUA, SEND_TRIM'],
    [
      'with larger blocks',
      withMinimum(512),
      withMinimum(4096),
      'a minimum block size of 4096 bytes, and had 512',
    ],
  ])('%s may not', (_what, was, is, fault) => {
    expect(offerFault(was, is)).toContain(fault);
  });
});
