import type { BootId, Diskseq } from '@holdfast/foundation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareIdentity, identityEquals, identityKey, type DeviceIdentity } from './identity.js';

const unsigned64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

const anyIdentity: fc.Arbitrary<DeviceIdentity> = fc
  .record({
    // Few values of each, so that equal fields occur.
    bootId: fc.constantFrom('boot-1' as BootId, 'boot-2' as BootId),
    major: fc.constantFrom(7, 71),
    minor: fc.constantFrom(0, 1, 11),
    inode: fc.oneof(fc.constantFrom(0n, 1n, 0x11n), unsigned64),
    diskseq: fc.option(fc.oneof(fc.constantFrom(0n, 1n, 0x11n), unsigned64)),
  })
  .map(({ diskseq, ...rest }) => (diskseq === null ? rest : { ...rest, diskseq: diskseq as Diskseq }));

const withoutDiskseq: DeviceIdentity = { bootId: 'boot-1' as BootId, major: 7, minor: 3, inode: 0n };
const blockDevice: DeviceIdentity = { ...withoutDiskseq, diskseq: 0x1fn as Diskseq };
const file: DeviceIdentity = { ...withoutDiskseq, inode: 0xffff_ffff_ffff_ffffn };

describe('the key of an identity', () => {
  test('reads as documented', () => {
    expect(identityKey(blockDevice)).toBe('boot-1/7:3/0/1f');
    expect(identityKey(file)).toBe('boot-1/7:3/ffffffffffffffff/-');
  });

  test('D5 keys are equal exactly when every field is, the boot id among them', () => {
    fc.assert(
      fc.property(anyIdentity, anyIdentity, (a, b) => {
        const equal =
          a.bootId === b.bootId &&
          a.major === b.major &&
          a.minor === b.minor &&
          a.inode === b.inode &&
          a.diskseq === b.diskseq;
        expect(identityKey(a) === identityKey(b)).toBe(equal);
        expect(identityEquals(a, b)).toBe(equal);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('comparing an open device with what was recorded', () => {
  test('D1 equal → same, another diskseq → different', () => {
    expect(compareIdentity(blockDevice, { ...blockDevice })).toBe('same');
    expect(compareIdentity(blockDevice, { ...blockDevice, diskseq: 0x20n as Diskseq })).toBe('different');
  });

  test('D2 a block device recorded without a diskseq is not checked, and visibly so', () => {
    expect(compareIdentity(withoutDiskseq, blockDevice)).toBe('unverified');
    expect(compareIdentity(withoutDiskseq, withoutDiskseq)).toBe('unverified');
  });

  test('D3 a diskseq that was recorded and cannot be read → different', () => {
    expect(compareIdentity(blockDevice, withoutDiskseq)).toBe('different');
  });

  test('D5 another boot → different, even with every number equal', () => {
    expect(compareIdentity(blockDevice, { ...blockDevice, bootId: 'boot-2' as BootId })).toBe('different');
  });

  test('D9 a regular file needs no diskseq: it is its inode', () => {
    expect(compareIdentity(file, { ...file })).toBe('same');
    expect(compareIdentity(file, { ...file, inode: 1n })).toBe('different');
  });

  test('only an identity that is equal, or recorded without a diskseq, is let through', () => {
    fc.assert(
      fc.property(anyIdentity, anyIdentity, (recorded, opened) => {
        const verdict = compareIdentity(recorded, opened);
        if (verdict === 'same') expect(identityEquals(recorded, opened)).toBe(true);
        if (verdict === 'unverified') expect(recorded.diskseq).toBeUndefined();
        const others = ['bootId', 'major', 'minor', 'inode'] as const;
        if (others.some((name) => recorded[name] !== opened[name])) expect(verdict).toBe('different');
      }),
      { numRuns: 2000 },
    );
  });
});
