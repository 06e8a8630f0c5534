import { Buffer } from 'node:buffer';
import { Command, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Entry } from '../../server/server.js';
import type { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';
import { unlessError } from '../../wire/reply.js';
import { commandName } from '../../wire/request.js';

interface Case {
  readonly type: number;
  readonly error: NbdError;
  readonly name: string;
  /** Flags of the export that it needs. */
  readonly needs?: number;
  readonly entry?: Entry;
}

const { EINVAL, ENOSPC } = NbdError;
const reading: Case[] = [
  { type: Command.READ, error: EINVAL, name: 'NBD_EINVAL' },
  { type: Command.CACHE, error: EINVAL, name: 'NBD_EINVAL', needs: TransmissionFlag.SEND_CACHE },
];
const status: Case = {
  type: Command.BLOCK_STATUS,
  error: EINVAL,
  name: 'NBD_EINVAL',
  entry: { contexts: ['base:allocation'] },
};
const writing: Case[] = [
  { type: Command.WRITE, error: ENOSPC, name: 'NBD_ENOSPC' },
  { type: Command.TRIM, error: EINVAL, name: 'NBD_EINVAL', needs: TransmissionFlag.SEND_TRIM },
  {
    type: Command.WRITE_ZEROES,
    error: ENOSPC,
    name: 'NBD_ENOSPC',
    needs: TransmissionFlag.SEND_WRITE_ZEROES,
  },
];

export const t4: Probe = {
  rule: 'T4',
  title: 'past the end is EINVAL or ENOSPC, without overflow',
  modes: allModes,
  async run(trial) {
    for (const one of reading) await refuses(trial, one);
    if (trial.mode !== 'simple') {
      if (trial.hasContexts()) await refuses(trial, status);
      else trial.leaves('BLOCK_STATUS: there is no context base:allocation');
    }
    const { flags } = trial.factsInMode();
    if ((flags & TransmissionFlag.READ_ONLY) !== 0) {
      trial.leaves('WRITE, TRIM and WRITE_ZEROES: the export is read-only');
    } else if (trial.mayWrite('WRITE, TRIM and WRITE_ZEROES past the end')) {
      for (const one of writing) await refuses(trial, one);
    }
  },
};

async function refuses(trial: Trial, { type, error, name, needs = 0, entry = {} }: Case): Promise<void> {
  const { flags } = trial.factsInMode();
  if ((flags & needs) !== needs) {
    trial.leaves(`${commandName(type)}: not offered`);
    return;
  }
  const claim = {
    sent: `${commandName(type)} that ends past the export, at the end, across it and at 2^64`,
    expected: `${name} each time, and the next request is understood`,
    section: 'Error values; Size constraints',
    strength: 'SHOULD',
  } as const;
  const look = async (session: Session): Promise<string | undefined> => {
    for (const [offset, blocks] of placesPastTheEnd(session)) {
      const length = blocks * session.blockSize.minimum;
      const request =
        type === Command.WRITE ? { type, offset, payload: Buffer.alloc(length) } : { type, offset, length };
      const got = unlessError(await session.ask(request), error);
      if (got !== undefined) return `${got} (offset ${offset}, length ${length})`;
    }
    await session.expectInSync();
    return undefined;
  };
  await trial.claimInSession(claim, look, entry);
}

/** All are aligned, so that nothing but the end is in question. */
function* placesPastTheEnd({ facts, blockSize }: Session): Generator<[offset: bigint, blocks: number]> {
  const unit = BigInt(blockSize.minimum);
  const end = facts.sizeBytes - (facts.sizeBytes % unit);
  yield [end + unit, 1];
  if (end === facts.sizeBytes) yield [end, 1];
  if (end >= unit) yield [end - unit, 3];
  yield [2n ** 63n, 1];
  // offset + length is a small number again in 64 bits.
  yield [2n ** 64n - unit, 2];
}
