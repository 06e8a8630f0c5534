import { Buffer } from 'node:buffer';
import { Command, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Region } from '../../server/server.js';
import type { Trial } from '../../trial.js';
import { hex } from '../../wire/bytes.js';
import { unlessError } from '../../wire/reply.js';
import { commandName } from '../../wire/request.js';

export const t18: Probe = {
  rule: 'T18',
  title: 'HAS_FLAGS is always set, and flags fit the mode; READ_ONLY is enforced',
  modes: allModes,
  async run(trial) {
    const { flags } = trial.factsInMode();
    const claim = {
      sent: 'NBD_OPT_GO',
      expected: 'HAS_FLAGS, and no flag that does not fit the mode or the others',
      section: 'Handshake phase: Transmission flags',
    };
    await trial.claim(claim, () => Promise.resolve(wrongIn(flags, trial)));
    if ((flags & TransmissionFlag.READ_ONLY) === 0) {
      trial.leaves('READ_ONLY: the export is not read-only');
    } else if (trial.mayWrite('changes to the read-only export') && trial.server.region !== undefined) {
      for (const type of [Command.WRITE, Command.TRIM, Command.WRITE_ZEROES]) {
        await refuses(trial, trial.server.region, type);
      }
    }
  },
};

function wrongIn(flags: number, { mode }: Trial): string | undefined {
  const has = (flag: number) => (flags & flag) !== 0;
  const got = `flags ${hex(flags)}`;
  if (!has(TransmissionFlag.HAS_FLAGS)) return `${got}, without HAS_FLAGS`;
  if (mode === 'simple' && has(TransmissionFlag.SEND_DF)) return `${got}, with SEND_DF in simple mode`;
  if (mode !== 'extended' && has(TransmissionFlag.BLOCK_STATUS_PAYLOAD)) {
    return `${got}, with BLOCK_STATUS_PAYLOAD but not extended headers`;
  }
  if (has(TransmissionFlag.SEND_FAST_ZERO) && !has(TransmissionFlag.SEND_WRITE_ZEROES)) {
    return `${got}, with SEND_FAST_ZERO but not SEND_WRITE_ZEROES`;
  }
  return undefined;
}

async function refuses(trial: Trial, { offset, length }: Region, type: number): Promise<void> {
  const claim = {
    sent: `${commandName(type)} to a read-only export`,
    expected: 'NBD_EPERM, no change, and the next request is understood',
    section: 'Error values',
    strength: 'SHOULD',
  } as const;
  let wasTaken = false;
  await trial.claimInSession(claim, async (session) => {
    const bytes = Math.min(length, session.blockSize.maximum);
    const before = await session.read(offset, bytes);
    const request =
      type === Command.WRITE
        ? { type, offset, payload: Buffer.alloc(bytes, 0x5a) }
        : { type, offset, length: bytes };
    const reply = await session.ask(request);
    wasTaken = reply.error === 0 || !(await session.read(offset, bytes)).equals(before);
    return unlessError(reply, NbdError.EPERM);
  });
  const must = {
    sent: `${commandName(type)} to a read-only export`,
    expected: 'an error, and no change',
    section: 'Handshake phase: Transmission flags',
  };
  await trial.claim(must, () => Promise.resolve(wasTaken ? 'success, or other data than before' : undefined));
}
