import { byteCount } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { RequestHeader } from './messages/request.js';
import type { TransmissionFacts } from './transmission-facts.js';
import { validate } from './validate.js';

const MIB = 1024 * 1024;
const EVERYTHING =
  TransmissionFlag.HAS_FLAGS |
  TransmissionFlag.SEND_FLUSH |
  TransmissionFlag.SEND_FUA |
  TransmissionFlag.SEND_TRIM |
  TransmissionFlag.SEND_WRITE_ZEROES |
  TransmissionFlag.SEND_FAST_ZERO |
  TransmissionFlag.SEND_CACHE;

const modifying = [Command.WRITE, Command.TRIM, Command.WRITE_ZEROES];
const ranged = [Command.READ, Command.CACHE, ...modifying];

function judge(request: Partial<RequestHeader>, facts: Partial<TransmissionFacts> = {}) {
  const error = validate(Object.assign(new RequestHeader(), { length: 512 }, request), {
    sizeBytes: byteCount(64 * MIB),
    transmissionFlags: EVERYTHING,
    blockSizeMinimum: 1,
    payloadMaximum: 32 * MIB,
    replyMode: 'structured',
    metaContexts: [{ id: 1, name: 'base:allocation' }],
    ...facts,
  });
  return error?.code ?? 0;
}

describe('commands and flags', () => {
  test('T1 an unknown command is EINVAL', () => {
    for (const type of [8, 9, 0xffff]) expect(judge({ type })).toBe(NbdError.EINVAL);
  });

  test.each([
    [Command.FLUSH, TransmissionFlag.SEND_FLUSH],
    [Command.TRIM, TransmissionFlag.SEND_TRIM],
    [Command.CACHE, TransmissionFlag.SEND_CACHE],
    [Command.WRITE_ZEROES, TransmissionFlag.SEND_WRITE_ZEROES],
  ])('T1 command %i is EINVAL unless it was offered', (type, offer) => {
    const length = type === Command.FLUSH ? 0 : 512;
    expect(judge({ type, length })).toBe(0);
    expect(judge({ type, length }, { transmissionFlags: EVERYTHING & ~offer })).toBe(NbdError.EINVAL);
  });

  test('T2 a flag that is unknown, or not of the command, is EINVAL', () => {
    for (let bit = 0; bit < 16; bit += 1) {
      const flags = 1 << bit;
      const isFua = flags === CommandFlag.FUA;
      const ofZeroes = flags === CommandFlag.NO_HOLE || flags === CommandFlag.FAST_ZERO;
      for (const type of ranged) {
        const legal = isFua || (ofZeroes && type === Command.WRITE_ZEROES);
        expect(judge({ type, flags }), `command ${type}, flag bit ${bit}`).toBe(legal ? 0 : NbdError.EINVAL);
      }
    }
  });

  test('T2 FUA is accepted on every command once advertised, and on none before', () => {
    const flags = CommandFlag.FUA;
    const transmissionFlags = EVERYTHING & ~TransmissionFlag.SEND_FUA;
    for (const type of [...ranged, Command.FLUSH]) {
      const length = type === Command.FLUSH ? 0 : 512;
      expect(judge({ type, flags, length })).toBe(0);
      expect(judge({ type, flags, length }, { transmissionFlags })).toBe(NbdError.EINVAL);
    }
  });

  test('T14 FAST_ZERO that was not advertised is EINVAL', () => {
    const request = { type: Command.WRITE_ZEROES, flags: CommandFlag.FAST_ZERO };
    const transmissionFlags = EVERYTHING & ~TransmissionFlag.SEND_FAST_ZERO;
    expect(judge(request)).toBe(0);
    expect(judge(request, { transmissionFlags })).toBe(NbdError.EINVAL);
  });

  test('T2 DF belongs to READ, once it was offered', () => {
    const transmissionFlags = EVERYTHING | TransmissionFlag.SEND_DF;
    const flags = CommandFlag.DF;
    expect(judge({ type: Command.READ, flags }, { transmissionFlags })).toBe(0);
    expect(judge({ type: Command.READ, flags })).toBe(NbdError.EINVAL);
    for (const type of modifying) expect(judge({ type, flags }, { transmissionFlags })).toBe(NbdError.EINVAL);
  });

  test('T2 REQ_ONE belongs to BLOCK_STATUS', () => {
    const flags = CommandFlag.REQ_ONE;
    expect(judge({ type: Command.BLOCK_STATUS, flags })).toBe(0);
    for (const type of ranged) expect(judge({ type, flags })).toBe(NbdError.EINVAL);
  });

  test('T11 B5 BLOCK_STATUS is EINVAL unless a context was selected', () => {
    expect(judge({ type: Command.BLOCK_STATUS })).toBe(0);
    expect(judge({ type: Command.BLOCK_STATUS }, { metaContexts: [] })).toBe(NbdError.EINVAL);
  });

  test('T1 PAYLOAD_LEN belongs to extended headers: to WRITE, and to BLOCK_STATUS once it was offered', () => {
    const flags = CommandFlag.PAYLOAD_LEN;
    const extended = { replyMode: 'extended' } as const;
    const offered = { ...extended, transmissionFlags: EVERYTHING | TransmissionFlag.BLOCK_STATUS_PAYLOAD };
    expect(judge({ type: Command.WRITE, flags }, extended)).toBe(0);
    expect(judge({ type: Command.WRITE }, extended)).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.WRITE, flags })).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.BLOCK_STATUS, flags, length: 12 }, offered)).toBe(0);
    expect(judge({ type: Command.BLOCK_STATUS, flags, length: 13 }, offered)).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.BLOCK_STATUS, flags, length: 12 }, extended)).toBe(NbdError.EINVAL);
    for (const type of [Command.READ, Command.TRIM, Command.CACHE])
      expect(judge({ type, flags }, offered)).toBe(NbdError.EINVAL);
  });

  test('T14 NO_HOLE needs no TRIM', () => {
    const request = { type: Command.WRITE_ZEROES, flags: CommandFlag.NO_HOLE };
    expect(judge(request, { transmissionFlags: EVERYTHING & ~TransmissionFlag.SEND_TRIM })).toBe(0);
  });
});

describe('read-only', () => {
  const transmissionFlags = TransmissionFlag.HAS_FLAGS | TransmissionFlag.READ_ONLY;

  test('T18 on a read-only export what changes it is EPERM, offered or not', () => {
    for (const type of modifying) {
      expect(judge({ type }, { transmissionFlags })).toBe(NbdError.EPERM);
      expect(judge({ type }, { transmissionFlags: EVERYTHING | TransmissionFlag.READ_ONLY })).toBe(
        NbdError.EPERM,
      );
    }
    expect(judge({ type: Command.READ }, { transmissionFlags })).toBe(0);
  });

  test('T4 EPERM comes before every other finding', () => {
    const wrong = { flags: 0x8000, offset: 2 ** 60, length: 0 };
    for (const type of modifying)
      expect(judge({ type, ...wrong }, { transmissionFlags })).toBe(NbdError.EPERM);
  });
});

describe('ranges', () => {
  const sizeBytes = byteCount(1000);

  test.each([
    [Command.READ, NbdError.EINVAL],
    [Command.TRIM, NbdError.EINVAL],
    [Command.CACHE, NbdError.EINVAL],
    [Command.BLOCK_STATUS, NbdError.EINVAL],
    [Command.WRITE, NbdError.ENOSPC],
    [Command.WRITE_ZEROES, NbdError.ENOSPC],
  ])('T4 command %i past the end is %i', (type, error) => {
    for (const [offset, length] of [
      [0, 1001],
      [999, 2],
      [1000, 1],
      [1001, 1],
      [0, 0xffff_ffff],
      [2 ** 53 - 1, 1],
      [2 ** 53, 512],
      [2 ** 64 - 2048, 0xffff_ffff],
    ] as const) {
      const payloadMaximum = 0xffff_ffff;
      expect(judge({ type, offset, length }, { sizeBytes, payloadMaximum }), `${offset}+${length}`).toBe(
        error,
      );
    }
  });

  test('T4 the last byte belongs to the export', () => {
    for (const type of ranged) {
      expect(judge({ type, offset: 999, length: 1 }, { sizeBytes })).toBe(0);
      expect(judge({ type, offset: 0, length: 1000 }, { sizeBytes })).toBe(0);
    }
  });

  test('T4 the largest export ends where it says', () => {
    const facts = { sizeBytes: byteCount(2 ** 53 - 1) };
    expect(judge({ type: Command.READ, offset: 2 ** 53 - 513, length: 512 }, facts)).toBe(0);
    expect(judge({ type: Command.READ, offset: 2 ** 53 - 513, length: 513 }, facts)).toBe(NbdError.EINVAL);
  });

  test('T5 a misaligned offset or length is EINVAL', () => {
    const facts = { blockSizeMinimum: 4096 };
    for (const type of ranged) {
      expect(judge({ type, offset: 4096, length: 8192 }, facts)).toBe(0);
      expect(judge({ type, offset: 512, length: 4096 }, facts)).toBe(NbdError.EINVAL);
      expect(judge({ type, offset: 4096, length: 4097 }, facts)).toBe(NbdError.EINVAL);
    }
  });

  test('T5 alignment is exact beyond 32 bits', () => {
    const facts = { sizeBytes: byteCount(2 ** 50), blockSizeMinimum: 512 };
    expect(judge({ type: Command.READ, offset: 2 ** 45 + 512 }, facts)).toBe(0);
    expect(judge({ type: Command.READ, offset: 2 ** 45 + 511 }, facts)).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.TRIM, offset: 2 ** 45, length: 0xffff_ffff }, facts)).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.TRIM, offset: 2 ** 45, length: 0xffff_fe00 }, facts)).toBe(0);
  });

  test('T6 TRIM, WRITE_ZEROES, CACHE and BLOCK_STATUS may be longer than the maximum payload, READ may not', () => {
    const facts = { payloadMaximum: MIB };
    const length = MIB + 1;
    expect(judge({ type: Command.TRIM, length }, facts)).toBe(0);
    expect(judge({ type: Command.WRITE_ZEROES, length }, facts)).toBe(0);
    expect(judge({ type: Command.CACHE, length }, facts)).toBe(0);
    expect(judge({ type: Command.BLOCK_STATUS, length }, facts)).toBe(0);
    expect(judge({ type: Command.READ, length }, facts)).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.READ, length: MIB }, facts)).toBe(0);
  });

  test('T7 a length of zero is EINVAL', () => {
    for (const type of ranged) expect(judge({ type, length: 0 })).toBe(NbdError.EINVAL);
  });

  test('T7 FLUSH has no offset and no length', () => {
    expect(judge({ type: Command.FLUSH, length: 0 })).toBe(0);
    expect(judge({ type: Command.FLUSH, length: 1 })).toBe(NbdError.EINVAL);
    expect(judge({ type: Command.FLUSH, length: 0, offset: 1 })).toBe(NbdError.EINVAL);
  });
});
