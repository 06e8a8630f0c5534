import { verifierV1 } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { parseAllocator } from './allocator-message.js';

const device = { device: 'devices/disk', offset: 65_536n, length: 0n };

function parse(pool: verifierV1.Allocator['pool'], chunkBytes = 65_536, allocatorId = 'a') {
  const allocator = { ...verifierV1.Allocator.fromPartial({ chunkBytes }), pool };
  return parseAllocator({ allocatorId, allocator });
}

test('a region of a device, and memory, are read as they were given', () => {
  const region = parse({ $case: 'device', value: device });
  expect(region).toEqual({ name: 'a', deviceId: 'disk', offset: 65_536n, length: 0n, chunkBytes: 65_536 });
  const memory = parse({ $case: 'memory', value: { length: 5n } });
  expect(memory).toEqual({ name: 'a', offset: 0n, length: 5n, chunkBytes: 65_536 });
});

test.each([0, 1, 2048, 4097, 65_537, 2 ** 31, 2 ** 32 - 1])(
  'a chunk of %i bytes is refused',
  (chunkBytes) => {
    const refused = () => parse({ $case: 'device', value: { ...device, offset: 0n } }, chunkBytes);
    expect(refused).toThrow('chunk_bytes must be a power of two');
  },
);

test.each<[string, verifierV1.Allocator['pool']]>([
  ['no pool', undefined],
  ['memory of no size', { $case: 'memory', value: { length: 0n } }],
  ['more memory than there may be', { $case: 'memory', value: { length: 2n ** 36n + 1n } }],
  ['a region that begins within a chunk', { $case: 'device', value: { ...device, offset: 4096n } }],
  ['a region beyond what a double counts', { $case: 'device', value: { ...device, offset: 2n ** 60n } }],
  ['no name of a device', { $case: 'device', value: { ...device, device: 'disk' } }],
])('%s is refused by the field', (_what, pool) => {
  expect(() => parse(pool)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error);
});

test('a name that is none is refused', () => {
  expect(() => parse({ $case: 'device', value: device }, 65_536, 'a/b')).toThrow('allocator_id');
});
