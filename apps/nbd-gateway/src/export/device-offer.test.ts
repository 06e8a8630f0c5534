import { registryV1 } from '@holdfast/contracts';
import { TransmissionFlag } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { contextsOf, deviceOffer, effectiveBlockSize } from './device-offer.js';

const { HAS_FLAGS, READ_ONLY, SEND_TRIM } = TransmissionFlag;
const KIB = 1024;

const device = (remote?: Partial<registryV1.RemoteExport>, readOnly = false) =>
  registryV1.Device.fromPartial({
    readOnly,
    attachment: { name: 'devices/a/attachments/1', ...(remote !== undefined && { remote }) },
  });

describe('what a device lets its exports offer', () => {
  test('a device of this machine offers all, and is read-only if it is registered so', () => {
    expect(deviceOffer(device())).toMatchObject({ readOnly: false, upstream: undefined });
    expect(deviceOffer(device(undefined, true)).readOnly).toBe(true);
    expect(contextsOf(deviceOffer(device())).map(({ name }) => name)).toEqual([
      'base:allocation',
      'qemu:allocation-depth',
    ]);
  });

  test('an export of another server is read-only if it is there, or registered so', () => {
    const offer = (transmissionFlags: number, readOnly = false) =>
      deviceOffer(device({ transmissionFlags }, readOnly)).readOnly;
    expect(offer(HAS_FLAGS | SEND_TRIM)).toBe(false);
    expect(offer(HAS_FLAGS | READ_ONLY)).toBe(true);
    expect(offer(HAS_FLAGS, true)).toBe(true);
  });

  test('an export of another server has base:allocation if it has it there, and no depth', () => {
    const names = (baseAllocation: boolean) =>
      contextsOf(deviceOffer(device({ baseAllocation }))).map(({ name }) => name);
    expect(names(true)).toEqual(['base:allocation']);
    expect(names(false)).toEqual([]);
  });
});

describe('T5 block sizes', () => {
  const wanted = { minimum: 1, preferred: 4096, payloadMaximum: 64 * KIB };
  const upstream = (minimum: number, preferred: number, payloadMaximum: number) =>
    deviceOffer(device({ blockSizeMinimum: minimum, blockSizePreferred: preferred, payloadMaximum }))
      .upstream;

  test.each([
    ['are those of the export', wanted, undefined, wanted],
    [
      'are no smaller than those of the server',
      wanted,
      upstream(512, 8192, 2 ** 25),
      { ...wanted, minimum: 512, preferred: 8192 },
    ],
    [
      'may be larger than those of the server',
      { ...wanted, minimum: 4096 },
      upstream(512, 4096, 2 ** 25),
      { ...wanted, minimum: 4096 },
    ],
    ['do not follow its maximum: what is longer is split', wanted, upstream(1, 4096, 4096), wanted],
    [
      'stay possible',
      { ...wanted, payloadMaximum: 4096 },
      upstream(8192, 65_536, 2 ** 25),
      { minimum: 8192, preferred: 8192, payloadMaximum: 8192 },
    ],
  ])('%s', (_what, exported, offered, expected) => {
    expect(effectiveBlockSize(exported, offered)).toEqual(expected);
  });
});
