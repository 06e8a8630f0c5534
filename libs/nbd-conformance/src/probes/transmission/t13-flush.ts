import { randomBytes } from 'node:crypto';
import { Command, CommandFlag, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Region } from '../../server/server.js';
import type { Trial } from '../../trial.js';
import { errorName, unlessError } from '../../wire/reply.js';

export const t13: Probe = {
  rule: 'T13',
  title: 'FLUSH and FUA cover writes, on all connections',
  modes: allModes,
  async run(trial) {
    const { flags } = trial.factsInMode();
    if ((flags & TransmissionFlag.SEND_FLUSH) === 0) trial.notOffered('FLUSH is not offered');
    const section = 'Ordering of messages and writes';
    await trial.claimInSession({ sent: 'FLUSH', expected: 'success', section }, async (session) =>
      unlessError(await session.ask({ type: Command.FLUSH }), 0),
    );
    trial.leaves('that data outlives a loss of power: cannot be seen from outside');
    const { region } = trial.server;
    if ((flags & TransmissionFlag.READ_ONLY) !== 0) trial.leaves('writes: the export is read-only');
    else if (!trial.mayWrite('writes on several connections') || region === undefined) return;
    else if ((flags & TransmissionFlag.CAN_MULTI_CONN) === 0) {
      trial.leaves('writes on several connections: CAN_MULTI_CONN is not offered');
    } else {
      await isSeenByOthers(trial, region, 'FLUSH');
      if ((flags & TransmissionFlag.SEND_FUA) !== 0) await isSeenByOthers(trial, region, 'FUA');
    }
  },
};

async function isSeenByOthers(trial: Trial, region: Region, by: 'FLUSH' | 'FUA'): Promise<void> {
  const claim = {
    sent: `a WRITE ${by === 'FUA' ? 'with NBD_CMD_FLAG_FUA' : 'and a FLUSH'}; then a READ on another connection, with CAN_MULTI_CONN`,
    expected: 'what was written',
    section: 'Handshake phase: Transmission flags',
  };
  await trial.claimInSession(claim, async (session) => {
    const other = await trial.server.enter(trial.mode);
    const { offset } = region;
    const payload = randomBytes(Math.min(region.length, session.blockSize.maximum));
    await other.read(offset, payload.length);
    const flags = by === 'FUA' ? CommandFlag.FUA : 0;
    const { error } = await session.ask({ type: Command.WRITE, offset, payload, flags });
    if (error !== 0) return errorName(error);
    if (by === 'FLUSH') await session.ask({ type: Command.FLUSH });
    const seen = await other.read(offset, payload.length);
    other.leave();
    return seen.equals(payload) ? undefined : 'other data';
  });
}
