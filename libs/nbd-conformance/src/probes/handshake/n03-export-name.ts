import { Buffer } from 'node:buffer';
import { ClientFlag, HandshakeFlag, Option } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { factsOf } from '../../server/export-facts.js';
import { CLIENT_FLAGS, type Handshake } from '../../server/handshake.js';
import { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';
import { infoData, option } from '../../wire/option.js';
import { grantsEveryName, UNKNOWN_EXPORT } from './unknown-export.js';

const section = 'Option types: NBD_OPT_EXPORT_NAME';
const ZEROES = 124;

export const n3: Probe = {
  rule: 'N3',
  title: 'EXPORT_NAME that fails closes; 124 zeroes follow one that succeeds, unless they were waived',
  modes: [],
  async run(trial) {
    if (await grantsEveryName(trial)) trial.leaves('an unknown name: the server takes every name');
    else await refusesByClosing(trial);
    const { minimum } = await sizesOf(trial);
    if (minimum > 1) {
      // "A server that wants to enforce size constraints … MAY refuse" a client that uses EXPORT_NAME.
      trial.leaves('a known name: the server may insist on block sizes');
    } else {
      for (const flags of [CLIENT_FLAGS, ClientFlag.FIXED_NEWSTYLE]) await grants(trial, flags);
    }
    await padsNothingAfterGo(trial);
  },
};

async function refusesByClosing(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_EXPORT_NAME of an export that is not there',
    expected: 'the server closes without an answer',
    section,
  };
  await trial.claimInHandshake(claim, async ({ stream }) => {
    stream.send(option(Option.EXPORT_NAME, UNKNOWN_EXPORT));
    return stream.expectEnd();
  });
}

async function grants(trial: Trial, flags: number): Promise<void> {
  const waives = (flags & ClientFlag.NO_ZEROES) !== 0;
  const claim = {
    sent: `NBD_OPT_EXPORT_NAME ${waives ? 'with' : 'without'} NBD_FLAG_C_NO_ZEROES, then a READ`,
    expected: `size and flags, ${waives ? 'no' : ZEROES} zeroes, then the reply to the READ`,
    section: 'Newstyle negotiation',
  };
  await trial.claim(claim, () =>
    withHandshake(trial, flags, async (handshake) => {
      handshake.stream.send(option(Option.EXPORT_NAME, trial.server.exportName));
      const reply = await handshake.stream.read(10);
      if (!waives || (handshake.offered & HandshakeFlag.NO_ZEROES) === 0) {
        const padding = await handshake.stream.read(ZEROES);
        if (!padding.equals(Buffer.alloc(ZEROES))) return 'bytes other than zero';
      }
      const facts = { sizeBytes: reply.readBigUInt64BE(0), flags: reply.readUInt16BE(8) };
      await new Session(handshake.stream, 'simple', { ...facts, blockSize: undefined }).expectInSync();
      return undefined;
    }),
  );
}

async function padsNothingAfterGo(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_GO without NBD_FLAG_C_NO_ZEROES, then a READ',
    expected: 'the reply to the READ right behind NBD_REP_ACK',
    section: 'Option types: NBD_OPT_INFO and NBD_OPT_GO',
  };
  await trial.claim(claim, () =>
    withHandshake(trial, ClientFlag.FIXED_NEWSTYLE, async (handshake) => {
      const facts = factsOf(await handshake.demand(Option.GO, infoData(trial.server.exportName, 3)));
      await new Session(handshake.stream, 'simple', facts).expectInSync();
      return undefined;
    }),
  );
}

async function sizesOf({ server }: Trial): Promise<Session['blockSize']> {
  const session = await server.enter('simple');
  session.leave();
  return session.blockSize;
}

async function withHandshake(
  { server }: Trial,
  flags: number,
  work: (handshake: Handshake) => Promise<string | undefined>,
): Promise<string | undefined> {
  const handshake = await server.negotiate(flags);
  try {
    return await work(handshake);
  } finally {
    handshake.close();
  }
}
