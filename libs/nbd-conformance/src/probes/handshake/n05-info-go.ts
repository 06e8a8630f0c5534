import { InfoType, Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { PeerFault } from '../../peer-fault.js';
import type { Probe } from '../../probe.js';
import { factsOf } from '../../server/export-facts.js';
import type { Trial } from '../../trial.js';
import { bytesOf, hex } from '../../wire/bytes.js';
import { infoData } from '../../wire/option.js';
import { replyName, type OptionAnswer } from '../../wire/option-reply.js';

const section = 'Option types: NBD_OPT_INFO and NBD_OPT_GO';

export const n5: Probe = {
  rule: 'N5',
  title: 'INFO and GO check lengths, ignore unknown requests, and tell the same',
  modes: [],
  async run(trial) {
    for (const length of [7, 0x8000_0000, 0xffff_ffff]) await checksLength(trial, length);
    await ignoresUnknownRequests(trial);
    await tellsTheSame(trial);
  },
};

/**
 * "If either … detects a violation of a mandatory condition …, it MAY initiate a hard disconnect": so closing is fine.
 * What else a server may do about it is not laid down, but each option has one final reply.
 */
async function checksLength(trial: Trial, length: number): Promise<void> {
  const claim = {
    sent: `NBD_OPT_INFO whose name claims ${hex(length)} bytes, of which 4 are there`,
    expected: 'one error with the next option being understood, or the end of the connection',
    section: 'Fixed newstyle negotiation',
    strength: 'SHOULD',
  } as const;
  await trial.claimInHandshake(claim, async (handshake) => {
    let answer: OptionAnswer;
    try {
      answer = await handshake.ask(Option.INFO, bytesOf([32, length], 'name', [16, 0]));
    } catch (error) {
      if (error instanceof PeerFault && error.message.startsWith('the server closed')) return undefined;
      throw error;
    }
    if (answer.end.type === OptionReplyType.ACK) return replyName(answer.end.type);
    await handshake.expectInSync();
    return undefined;
  });
}

async function ignoresUnknownRequests(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_INFO with the information requests 0x7ff0 and 0xfff0, which are unknown',
    expected: 'NBD_INFO_EXPORT and NBD_REP_ACK',
    section,
  };
  await trial.claimInHandshake(claim, async (handshake) => {
    const answer = await handshake.ask(Option.INFO, infoData(trial.server.exportName, 0x7ff0, 0xfff0));
    if (answer.end.type !== OptionReplyType.ACK) return replyName(answer.end.type);
    factsOf(answer);
    return undefined;
  });
}

async function tellsTheSame(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_INFO, then NBD_OPT_GO with the same data',
    expected: 'the same set of information, in any order',
    section,
  };
  await trial.claimInHandshake(claim, async (handshake) => {
    const data = infoData(trial.server.exportName, InfoType.BLOCK_SIZE);
    const told = informationIn(await handshake.ask(Option.INFO, data));
    const granted = informationIn(await handshake.ask(Option.GO, data));
    return told === granted ? undefined : `by INFO ${told}; by GO ${granted}`;
  });
}

function informationIn({ details, end }: OptionAnswer): string {
  const told = details.map(({ data }) => data.toString('hex')).toSorted();
  return [...told, replyName(end.type)].join(' ');
}
