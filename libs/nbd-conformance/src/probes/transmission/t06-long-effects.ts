import { Command, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Trial } from '../../trial.js';
import { commandName } from '../../wire/request.js';

export const t6: Probe = {
  rule: 'T6',
  title: 'commands without payload may be longer than the maximum payload: never a disconnect',
  modes: allModes,
  async run(trial) {
    const session = await trial.server.enter(trial.mode);
    session.leave();
    const { minimum, maximum } = session.blockSize;
    const length = maximum - (maximum % minimum) + minimum;
    if (BigInt(length) > session.facts.sizeBytes || length >= 2 ** 32) {
      trial.notTried('the export is not longer than the maximum payload');
    }
    trial.leaves('TRIM and WRITE_ZEROES: would change more than may be written');
    if (session.has(TransmissionFlag.SEND_CACHE)) await answers(trial, Command.CACHE, length);
    else trial.leaves('CACHE: not offered');
    if (trial.mode === 'simple') return;
    if (trial.hasContexts()) await answers(trial, Command.BLOCK_STATUS, length);
    else trial.leaves('BLOCK_STATUS: there is no context base:allocation');
  },
};

async function answers(trial: Trial, type: number, length: number): Promise<void> {
  const claim = {
    sent: `${commandName(type)} of ${length} bytes, more than the maximum payload`,
    expected: 'success or an error, and the next request is understood',
    section: 'Size constraints',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(
    claim,
    async (session) => {
      await session.ask({ type, length });
      await session.expectInSync();
      return undefined;
    },
    type === Command.BLOCK_STATUS ? { contexts: ['base:allocation'] } : {},
  );
}
