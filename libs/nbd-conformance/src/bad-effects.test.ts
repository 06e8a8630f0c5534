import { Buffer } from 'node:buffer';
import { DONE, offsetData, simpleReply } from '@holdfast/nbd-client/testing/wire';
import { Command, CommandFlag, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { describe, it } from 'vitest';
import { allModes } from './probe.js';
import { answering, framing, status } from './testing/bad-answers.js';
import { expectBroken, type BadServer } from './testing/expect-broken.js';
import { MODEL_FLAGS } from './testing/model-export.js';

const badServers: BadServer[] = [
  {
    rule: 'T13',
    does: 'fails to FLUSH',
    faults: answering(Command.FLUSH, (request, { mode }) => status(request, mode, NbdError.EIO)),
    got: /NBD_EIO/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T13',
    does: 'shows other connections what was there before',
    faults: answering(Command.READ, (request, { mode }) => {
      const stale = Buffer.alloc(Number(request.length), 0x11);
      return mode === 'simple'
        ? simpleReply(request.cookie, 0, stale)
        : offsetData(framing(request), request.offset, stale, DONE);
    }),
    got: /other data/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T14',
    does: 'says that it zeroed, and has not',
    faults: answering(Command.READ, (request, { mode }) => {
      const data = Buffer.alloc(Number(request.length), 0xa5);
      return mode === 'simple'
        ? simpleReply(request.cookie, 0, data)
        : offsetData(framing(request), request.offset, data, DONE);
    }),
    got: /other data/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T14',
    does: 'zeroes, and says ENOTSUP',
    faults: answering(Command.WRITE_ZEROES, (request, { mode }) =>
      request.flags === CommandFlag.FAST_ZERO ? status(request, mode, NbdError.ENOTSUP) : undefined,
    ),
    got: /NBD_ENOTSUP, and other data/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T14',
    does: 'does not know FAST_ZERO, and zeroes',
    model: { flags: MODEL_FLAGS & ~TransmissionFlag.SEND_FAST_ZERO },
    faults: answering(Command.WRITE_ZEROES, (request, { mode }) => status(request, mode)),
    got: /success/,
    strength: 'SHOULD',
    modes: allModes,
  },
  {
    rule: 'T15',
    does: 'replies to DISC',
    faults: { disc: simpleReply(0n) },
    got: /further bytes/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T15',
    does: 'forgets what is outstanding',
    faults: answering(Command.READ, ({ cookie }) => (cookie === 3n ? 'close' : undefined)),
    got: /closed/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T16',
    does: 'echoes half of a cookie',
    write: false,
    faults: {
      request: (_request, _state, good) => {
        const other = Buffer.from(good);
        // The lower which is at the same place in all forms.
        if (good.length >= 16) other.writeUInt32BE(0, 12);
        return other;
      },
    },
    got: /cookie/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T18',
    does: 'has no HAS_FLAGS',
    model: { flags: MODEL_FLAGS & ~TransmissionFlag.HAS_FLAGS },
    got: /without HAS_FLAGS/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T18',
    does: 'offers DF in simple mode',
    model: { flags: MODEL_FLAGS | TransmissionFlag.SEND_DF },
    got: /SEND_DF in simple mode/,
    strength: 'MUST',
    modes: ['simple'],
  },
  {
    rule: 'T18',
    does: 'is read-only, and takes writes',
    model: { flags: MODEL_FLAGS | TransmissionFlag.READ_ONLY },
    faults: answering(Command.WRITE, (request, { mode }) => status(request, mode)),
    got: /success/,
    strength: 'MUST',
    modes: allModes,
  },
  {
    rule: 'T19',
    does: 'disconnects who asks for too much',
    faults: answering(Command.READ, ({ length }) => (length > 65536n ? 'close' : undefined)),
    got: /closed/,
    strength: 'SHOULD',
    modes: allModes,
  },
];

describe('a server is told what it breaks', () => {
  it.each(badServers)('$rule: one that $does', expectBroken);
});
