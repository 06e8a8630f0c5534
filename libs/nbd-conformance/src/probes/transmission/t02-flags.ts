import { Command, CommandFlag, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Trial } from '../../trial.js';
import { errorName, unlessError } from '../../wire/reply.js';
import { commandName } from '../../wire/request.js';

const UNKNOWN_FLAG = 0x8000;

export const t2: Probe = {
  rule: 'T2',
  title: 'a flag that is unknown or does not apply is EINVAL; FUA is accepted on every command',
  modes: allModes,
  async run(trial) {
    await refuses(trial, UNKNOWN_FLAG, 'an unknown flag (bit 15)');
    await refuses(trial, CommandFlag.NO_HOLE, 'NBD_CMD_FLAG_NO_HOLE');
    await refuses(trial, CommandFlag.REQ_ONE, 'NBD_CMD_FLAG_REQ_ONE');
    if (trial.mode === 'simple') await refuses(trial, CommandFlag.DF, 'NBD_CMD_FLAG_DF');
    await acceptsFua(trial);
    await rejectsOnCache(trial);
  },
};

async function refuses(trial: Trial, flags: number, name: string): Promise<void> {
  const claim = {
    sent: `NBD_CMD_READ with ${name}`,
    expected: 'NBD_EINVAL, and the next request is understood',
    section: 'Error values',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(claim, async (session) => {
    const reply = await session.ask({ type: Command.READ, flags, length: session.blockSize.minimum });
    const got = unlessError(reply, NbdError.EINVAL);
    if (got === undefined) await session.expectInSync();
    return got;
  });
}

async function acceptsFua(trial: Trial): Promise<void> {
  const facts = trial.factsInMode();
  if ((facts.flags & TransmissionFlag.SEND_FUA) === 0) {
    trial.leaves('FUA: not offered');
    return;
  }
  const commands = [
    [Command.READ, 0],
    [Command.FLUSH, TransmissionFlag.SEND_FLUSH],
    [Command.CACHE, TransmissionFlag.SEND_CACHE],
  ] as const;
  for (const [type, needed] of commands) {
    if ((facts.flags & needed) !== needed) continue;
    const claim = {
      sent: `${commandName(type)} with NBD_CMD_FLAG_FUA, which is offered`,
      expected: 'what the command is answered without it',
      section: 'Transmission phase: Command flags',
    };
    await trial.claimInSession(claim, async (session) => {
      const length = type === Command.FLUSH ? 0 : session.blockSize.minimum;
      const plain = await session.ask({ type, length });
      const flagged = await session.ask({ type, length, flags: CommandFlag.FUA });
      return plain.error === flagged.error ? undefined : errorName(flagged.error);
    });
  }
}

async function rejectsOnCache(trial: Trial): Promise<void> {
  const facts = trial.factsInMode();
  if ((facts.flags & TransmissionFlag.SEND_CACHE) === 0) {
    trial.leaves('flags of CACHE: not offered');
    return;
  }
  const claim = {
    sent: 'NBD_CMD_CACHE with an unknown flag (bit 15)',
    expected: 'an error',
    section: 'Request types: NBD_CMD_CACHE',
  };
  await trial.claimInSession(claim, async (session) => {
    const length = session.blockSize.minimum;
    const { error } = await session.ask({ type: Command.CACHE, flags: UNKNOWN_FLAG, length });
    return error === 0 ? 'success' : undefined;
  });
}
