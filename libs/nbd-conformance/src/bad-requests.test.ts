import { Buffer } from 'node:buffer';
import { DONE, offsetData, simpleReply } from '@holdfast/nbd-client/testing/wire';
import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { describe, it } from 'vitest';
import { allModes } from './probe.js';
import { UNKNOWN_COMMAND } from './probes/transmission/t01-payloads.js';
import { answering, framing, isPastEnd, status } from './testing/bad-answers.js';
import { expectBroken, type BadServer } from './testing/expect-broken.js';

const badServers: BadServer[] = [
  {
    rule: 'T1',
    does: 'takes a payload behind unknown commands',
    faults: { payloadBytes: ({ type, length }) => (type === UNKNOWN_COMMAND ? length : undefined) },
    got: /no answer/,
    strength: 'MUST',
    modes: ['simple', 'structured'],
  },
  {
    rule: 'T1',
    does: 'leaves a payload on the stream where it does not belong',
    faults: { payloadBytes: ({ type }) => (type === Command.READ ? 0n : undefined) },
    got: /closed/,
    strength: 'SHOULD',
    modes: ['extended'],
  },
  {
    rule: 'T1',
    does: 'says ENOTSUP to unknown commands',
    faults: answering(UNKNOWN_COMMAND, (request, { mode }) => status(request, mode, NbdError.ENOTSUP)),
    got: /NBD_ENOTSUP/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T2',
    does: 'ignores flags',
    faults: answering(Command.CACHE, (request, { mode }) => status(request, mode)),
    got: /success/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T2',
    does: 'refuses FUA on FLUSH',
    faults: answering(Command.FLUSH, (request, { mode }) =>
      request.flags === CommandFlag.FUA ? status(request, mode, NbdError.EINVAL) : undefined,
    ),
    got: /NBD_EINVAL/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T3',
    does: 'leaves the payload of a refused WRITE on the stream',
    faults: {
      payloadBytes: ({ type, flags }) => (type === Command.WRITE && flags >= 0x8000 ? 0n : undefined),
    },
    got: /closed/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T4',
    does: 'says EIO past the end',
    faults: answering(Command.READ, (request, { mode }) =>
      isPastEnd(request) ? status(request, mode, NbdError.EIO) : undefined,
    ),
    got: /NBD_EIO/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T4',
    does: 'lets offset + length overflow',
    faults: answering(Command.TRIM, (request, { mode }) =>
      request.offset + request.length > 2n ** 64n ? status(request, mode) : undefined,
    ),
    got: /success \(offset 18446744073709551615/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T5',
    does: 'has a minimum that is no power of two',
    write: false,
    model: { blockSize: [3, 4096, 65_536] },
    got: /a minimum of 3/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T5',
    does: 'serves what is not aligned',
    model: { blockSize: [512, 4096, 65_536] },
    faults: answering(Command.READ, (request, { mode }, good) => {
      if (request.length !== 1n) return good;
      const byte = Buffer.alloc(1);
      return mode === 'simple'
        ? simpleReply(request.cookie, 0, byte)
        : offsetData(framing(request), request.offset, byte, DONE);
    }),
    got: /success/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T6',
    does: 'takes a long CACHE for an attack',
    faults: answering(Command.CACHE, ({ length }) => (length > 65536n ? 'close' : undefined)),
    got: /closed/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T7',
    does: 'disconnects who reads nothing',
    faults: answering(Command.READ, ({ length }) => (length === 0n ? 'close' : undefined)),
    got: /closed/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T7',
    does: 'dies of nonsense',
    write: false,
    faults: { diesOfNonsense: true },
    got: /greeted any more/,
    strength: 'MUST',
    modes: ['simple'],
  },
];

describe('a server is told what it breaks', () => {
  it.each(badServers)('$rule: one that $does', expectBroken);
});
