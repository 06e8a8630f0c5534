import { Command } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Trial } from '../../trial.js';

export const t19: Probe = {
  rule: 'T19',
  title: 'nothing that a peer announces is allocated before it is checked',
  modes: allModes,
  async run(trial) {
    trial.leaves('what the server allocates: cannot be seen from outside');
    const { sizeBytes } = trial.factsInMode();
    const lengths = [2n ** 31n, 2n ** 32n - 1n];
    if (trial.mode === 'extended') lengths.push(2n ** 62n);
    const beyond = lengths.filter((length) => length > sizeBytes);
    if (beyond.length === 0) trial.notTried('the export is longer than any READ can ask for');
    for (const length of beyond) await refuses(trial, length);
  },
};

async function refuses(trial: Trial, length: bigint): Promise<void> {
  const claim = {
    sent: `a READ of ${length} bytes, more than there are`,
    expected: 'an error, and the next request is understood',
    section: 'Size constraints',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(claim, async (session) => {
    const unit = BigInt(session.blockSize.minimum);
    const { error } = await session.ask({ type: Command.READ, length: length - (length % unit) });
    if (error === 0) return 'success';
    await session.expectInSync();
    return undefined;
  });
}
