import { Command, CommandFlag, TransmissionFlag } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import { NbdRequestError } from '../errors/request-error.js';
import { checkRequest, type CheckedRequest, type TransmissionFacts } from './check-request.js';
import type { CommandName } from './request.js';

const ALL = 0x1ded;
const FACTS: TransmissionFacts = {
  sizeBytes: 1n << 30n,
  transmissionFlags: ALL,
  blockSize: { minimum: 512, preferred: 4096, payloadMaximum: 1 << 20 },
  replyMode: 'structured',
  metaContexts: [{ id: 1, name: 'base:allocation' }],
};

function fault(
  request: Partial<CheckedRequest> & { command: CommandName },
  facts: Partial<TransmissionFacts> = {},
) {
  try {
    checkRequest({ ...FACTS, ...facts }, { flags: 0, offset: 0n, length: 512n, ...request });
    return 'sent';
  } catch (error) {
    if (error instanceof NbdRequestError) return error.fault;
    throw error;
  }
}

const COMMANDS = (Object.keys(Command) as (CommandName | 'DISC')[]).filter((name) => name !== 'DISC');

test.each(COMMANDS)('T4 %s that keeps to everything is sent', (command) => {
  expect(fault({ command })).toBe('sent');
});

test.each(['WRITE', 'TRIM', 'WRITE_ZEROES'] as const)(
  'T18 %s is not sent to a read-only export',
  (command) => {
    const facts = { transmissionFlags: ALL | TransmissionFlag.READ_ONLY };
    expect(fault({ command }, facts)).toBe('read-only');
    expect(fault({ command: 'READ' }, facts)).toBe('sent');
  },
);

test.each([
  ['FLUSH', TransmissionFlag.SEND_FLUSH],
  ['TRIM', TransmissionFlag.SEND_TRIM],
  ['CACHE', TransmissionFlag.SEND_CACHE],
  ['WRITE_ZEROES', TransmissionFlag.SEND_WRITE_ZEROES],
] as const)('T2 %s is sent only where it is offered', (command, offer) => {
  expect(fault({ command }, { transmissionFlags: ALL & ~offer })).toBe('not-offered');
});

test.each([
  ['WRITE', CommandFlag.FUA, TransmissionFlag.SEND_FUA],
  ['READ', CommandFlag.DF, TransmissionFlag.SEND_DF],
  ['WRITE_ZEROES', CommandFlag.FAST_ZERO, TransmissionFlag.SEND_FAST_ZERO],
] as const)('T2 T14 %s with flag %i is sent only where it is offered', (command, flags, offer) => {
  expect(fault({ command, flags })).toBe('sent');
  expect(fault({ command, flags }, { transmissionFlags: ALL & ~offer })).toBe('not-offered');
});

test('T9 DF needs chunks, whatever a server says that offers it without', () => {
  expect(fault({ command: 'READ', flags: CommandFlag.DF }, { replyMode: 'simple' })).toBe('not-negotiated');
});

test('T11 BLOCK_STATUS needs chunks and a context', () => {
  expect(fault({ command: 'BLOCK_STATUS' }, { replyMode: 'simple' })).toBe('not-negotiated');
  expect(fault({ command: 'BLOCK_STATUS' }, { metaContexts: [] })).toBe('not-negotiated');
});

test.each(COMMANDS.filter((command) => command !== 'FLUSH'))(
  'T4 T5 T7 %s keeps to the export and its blocks',
  (command) => {
    const size = 1n << 30n;
    expect(fault({ command, length: 0n })).toBe('zero-length');
    expect(fault({ command, offset: size })).toBe('out-of-range');
    expect(fault({ command, offset: size - 512n })).toBe('sent');
    expect(fault({ command, offset: size - 512n, length: 1024n })).toBe('out-of-range');
    expect(fault({ command, offset: (1n << 64n) - 512n })).toBe('out-of-range');
    expect(fault({ command, offset: 1n })).toBe('misaligned');
    expect(fault({ command, length: 513n })).toBe('misaligned');
  },
);

test.each(['READ', 'WRITE'] as const)('T6 T19 %s keeps to the maximum payload, and to 32 MiB', (command) => {
  expect(fault({ command, length: 1n << 20n })).toBe('sent');
  expect(fault({ command, length: (1n << 20n) + 512n })).toBe('too-long');
  const unlimited = { blockSize: { minimum: 1, preferred: 4096, payloadMaximum: 0xffff_ffff } };
  expect(fault({ command, length: 1n << 25n }, unlimited)).toBe('sent');
  expect(fault({ command, length: (1n << 25n) + 1n }, unlimited)).toBe('too-long');
});

test('T6 what has no payload may be longer than one', () => {
  for (const command of ['TRIM', 'WRITE_ZEROES', 'CACHE', 'BLOCK_STATUS'] as const) {
    expect(fault({ command, length: 1n << 29n })).toBe('sent');
  }
});
