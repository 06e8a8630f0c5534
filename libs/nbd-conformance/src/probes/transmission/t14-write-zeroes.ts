import { Buffer } from 'node:buffer';
import { Command, CommandFlag, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Region } from '../../server/server.js';
import type { Session } from '../../server/session.js';
import type { Claim, Trial } from '../../trial.js';
import { errorName, unlessError, type Reply } from '../../wire/reply.js';

const section = 'Request types: NBD_CMD_WRITE_ZEROES';

export const t14: Probe = {
  rule: 'T14',
  title: 'WRITE_ZEROES reads back as zeroes; FAST_ZERO zeroes, or is ENOTSUP and changes nothing',
  modes: allModes,
  async run(trial) {
    const { flags } = trial.factsInMode();
    if ((flags & TransmissionFlag.READ_ONLY) !== 0) trial.notOffered('the export is read-only');
    if ((flags & TransmissionFlag.SEND_WRITE_ZEROES) === 0) trial.notOffered('WRITE_ZEROES is not offered');
    const region = trial.writable();
    trial.leaves('that NO_HOLE provisions: cannot be seen from outside');
    for (const [name, flag] of [
      ['', 0],
      [' with NBD_CMD_FLAG_NO_HOLE', CommandFlag.NO_HOLE],
    ] as const) {
      const claim = { sent: `WRITE_ZEROES${name}, then a READ`, expected: 'zeroes', section };
      await claimZeroes(trial, region, claim, flag, (reply, after, before) => {
        if (reply.error !== 0) return errorName(reply.error);
        return after.equals(Buffer.alloc(before.length)) ? undefined : 'other data';
      });
    }
    const isFast = (flags & TransmissionFlag.SEND_FAST_ZERO) !== 0;
    await (isFast ? offeredFastZero(trial, region) : unofferedFastZero(trial, region));
  },
};

async function offeredFastZero(trial: Trial, region: Region): Promise<void> {
  const claim = {
    sent: 'WRITE_ZEROES with NBD_CMD_FLAG_FAST_ZERO, which is offered, then a READ',
    expected: 'success and zeroes, or NBD_ENOTSUP',
    section,
  };
  await claimZeroes(trial, region, claim, CommandFlag.FAST_ZERO, (reply, after, before) => {
    if (reply.error !== 0) return unlessError(reply, NbdError.ENOTSUP);
    return after.equals(Buffer.alloc(before.length)) ? undefined : 'success, and other data';
  });
  const unchanged = { ...claim, expected: 'no change with NBD_ENOTSUP', strength: 'SHOULD' } as const;
  await claimZeroes(trial, region, unchanged, CommandFlag.FAST_ZERO, (reply, after, before) =>
    reply.error === 0 || after.equals(before) ? undefined : `${errorName(reply.error)}, and other data`,
  );
}

async function unofferedFastZero(trial: Trial, region: Region): Promise<void> {
  const claim = {
    sent: 'WRITE_ZEROES with NBD_CMD_FLAG_FAST_ZERO, which is not offered',
    expected: 'NBD_EINVAL',
    section,
    strength: 'SHOULD',
  } as const;
  await claimZeroes(trial, region, claim, CommandFlag.FAST_ZERO, (reply) =>
    unlessError(reply, NbdError.EINVAL),
  );
}

/** Fills a part of the region, zeroes it, and reads it. */
function claimZeroes(
  trial: Trial,
  { offset, length }: Region,
  claim: Claim,
  flags: number,
  look: (reply: Reply, after: Buffer, before: Buffer) => string | undefined,
): Promise<boolean> {
  return trial.claimInSession(claim, async (session: Session) => {
    const before = Buffer.alloc(Math.min(length, session.blockSize.maximum), 0xa5);
    const { error } = await session.ask({ type: Command.WRITE, offset, payload: before });
    if (error !== 0) return `${errorName(error)} to the WRITE before`;
    const reply = await session.ask({ type: Command.WRITE_ZEROES, offset, length: before.length, flags });
    return look(reply, await session.read(offset, before.length), before);
  });
}
