import { Buffer } from 'node:buffer';
import { Command, TransmissionFlag } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Entry } from '../../server/server.js';
import type { Trial } from '../../trial.js';
import { commandName } from '../../wire/request.js';

export const t7: Probe = {
  rule: 'T7',
  title: 'length zero is no reason to disconnect; a wrong magic never ends the server',
  modes: allModes,
  async run(trial) {
    await staysWith(trial, Command.READ);
    if (trial.mode !== 'simple' && trial.hasContexts()) {
      await staysWith(trial, Command.BLOCK_STATUS, { contexts: ['base:allocation'] });
    }
    const { flags } = trial.factsInMode();
    const isWritable = (flags & TransmissionFlag.READ_ONLY) === 0;
    if (isWritable && trial.mayWrite('WRITE, TRIM and WRITE_ZEROES of length zero')) {
      await staysWith(trial, Command.WRITE);
      if ((flags & TransmissionFlag.SEND_TRIM) !== 0) await staysWith(trial, Command.TRIM);
      if ((flags & TransmissionFlag.SEND_WRITE_ZEROES) !== 0) await staysWith(trial, Command.WRITE_ZEROES);
    }
    await survives(trial);
  },
};

async function staysWith(trial: Trial, type: number, entry: Entry = {}): Promise<void> {
  const claim = {
    sent: `${commandName(type)} of length 0, then a READ`,
    expected: 'a reply to each',
    section: `Request types: ${commandName(type)}`,
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(
    claim,
    async (session) => {
      await session.ask({ type, length: 0 });
      await session.expectInSync();
      return undefined;
    },
    entry,
  );
}

async function survives(trial: Trial): Promise<void> {
  const claim = {
    sent: '32 bytes of 0xff in place of a request; then another connection',
    expected: 'the other connection is served',
    section: 'Terminating the transmission phase',
  };
  await trial.claim(claim, async () => {
    const session = await trial.server.enter(trial.mode);
    session.stream.send(Buffer.alloc(32, 0xff));
    // What becomes of the connection is not laid down.
    await session.stream.readUpTo(1).catch(() => undefined);
    session.close();
    if (await trial.server.isGone()) return 'no connection is greeted any more';
    const other = await trial.server.enter(trial.mode);
    await other.expectInSync();
    other.leave();
    return undefined;
  });
}
