import { Buffer } from 'node:buffer';
import { Command, NbdError } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Trial } from '../../trial.js';
import { unlessError } from '../../wire/reply.js';
import { commandName, encode } from '../../wire/request.js';

/** Of no meaning to anybody, and far from those that may get one. */
export const UNKNOWN_COMMAND = 0x7ff0;

export const t1: Probe = {
  rule: 'T1',
  title: 'a payload is there exactly when the mode says so; unknown commands are EINVAL',
  modes: allModes,
  async run(trial) {
    await answersUnknown(trial);
    if (trial.mode !== 'extended') return;
    await consumes(trial, UNKNOWN_COMMAND);
    await consumes(trial, Command.READ);
    await endsTooLong(trial);
  },
};

async function answersUnknown(trial: Trial): Promise<void> {
  const sync = {
    sent: `${commandName(UNKNOWN_COMMAND)} with length 4096 and no payload, then a READ`,
    expected: 'a reply to each',
    section: 'Compatibility and interoperability: Baseline',
  };
  const request = { type: UNKNOWN_COMMAND, length: 4096 };
  const isInSync = await trial.claimInSession(sync, async (session) => {
    await session.ask(request);
    await session.expectInSync();
    return undefined;
  });
  if (!isInSync) return;
  const error = {
    sent: commandName(UNKNOWN_COMMAND),
    expected: 'NBD_EINVAL',
    section: 'Error values',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(error, async (session) =>
    unlessError(await session.ask(request), NbdError.EINVAL),
  );
}

/** The payload is zeroes, which is no request: whoever leaves it there stumbles over it. */
async function consumes(trial: Trial, type: number): Promise<void> {
  const claim = {
    sent: `${commandName(type)} with PAYLOAD_LEN and a payload of 64 bytes, then a READ`,
    expected: 'NBD_EINVAL, the payload consumed, and a reply to the READ',
    section: 'Transmission: Request message',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(claim, async (session) => {
    const reply = await session.ask({ type, payloadLen: true, payload: Buffer.alloc(64) });
    const got = unlessError(reply, NbdError.EINVAL);
    if (got === undefined) await session.expectInSync();
    return got;
  });
}

async function endsTooLong(trial: Trial): Promise<void> {
  const claim = {
    sent: 'the header of a READ with PAYLOAD_LEN and a payload of 2^40 bytes',
    expected: 'the end of the connection',
    section: 'Transmission: Request message',
    strength: 'SHOULD',
  } as const;
  await trial.claim(claim, async () => {
    const session = await trial.server.enter(trial.mode);
    session.stream.send(
      encode(trial.mode, {
        type: Command.READ,
        payloadLen: true,
        length: 2n ** 40n,
        payload: Buffer.alloc(64),
      }),
    );
    const got = await session.stream.expectEnd();
    session.close();
    return got;
  });
}
