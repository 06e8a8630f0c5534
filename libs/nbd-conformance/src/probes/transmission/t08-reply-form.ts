import { Command, TransmissionFlag, type ReplyMode } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Trial } from '../../trial.js';
import { commandName, type Request } from '../../wire/request.js';
import { UNKNOWN_COMMAND } from './t01-payloads.js';

const sections: Readonly<Record<ReplyMode, string>> = {
  simple: 'Transmission: Structured reply chunk message',
  structured: 'Transmission: Structured reply chunk message',
  extended: 'Transmission: Extended reply chunk message',
};

export const t8: Probe = {
  rule: 'T8',
  title: 'replies have the form of the mode: READ in chunks, early errors too; extended has no other',
  modes: allModes,
  async run(trial) {
    const { flags } = trial.factsInMode();
    await formOf(trial, 'a READ', ({ minimum }) => ({ type: Command.READ, length: minimum }));
    await formOf(trial, 'a READ with an unknown flag (bit 15)', ({ minimum }) => ({
      type: Command.READ,
      flags: 0x8000,
      length: minimum,
    }));
    await formOf(trial, 'a READ far past the end', ({ minimum }) => ({
      type: Command.READ,
      offset: 2n ** 62n,
      length: minimum,
    }));
    // With structured replies, what is no READ may have a simple one.
    if (trial.mode === 'structured') return;
    await formOf(trial, commandName(UNKNOWN_COMMAND), () => ({ type: UNKNOWN_COMMAND, length: 0 }));
    if ((flags & TransmissionFlag.SEND_FLUSH) !== 0) {
      await formOf(trial, 'a FLUSH', () => ({ type: Command.FLUSH }));
    }
  },
};

async function formOf(
  trial: Trial,
  sent: string,
  request: (sizes: { readonly minimum: number }) => Request,
): Promise<void> {
  const expected = trial.mode === 'simple' ? 'a simple reply' : `a reply of the ${trial.mode} form`;
  const claim = { sent, expected, section: sections[trial.mode] };
  await trial.claimInSession(claim, async (session) => {
    const { form } = await session.ask(request(session.blockSize));
    return form === trial.mode ? undefined : `a ${form} reply`;
  });
}
