import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { hex } from '../../wire/bytes.js';
import { isError, replyName, unlessReply, type OptionAnswer } from '../../wire/option-reply.js';

const section = 'Option types: NBD_OPT_LIST';

export const n4: Probe = {
  rule: 'N4',
  title: 'LIST names each export, then ACK; with data it is ERR_INVALID',
  modes: [],
  async run(trial) {
    const asked = await trial.server.negotiate();
    const answer = await asked.ask(Option.LIST).finally(() => {
      asked.close();
    });
    if (isError(answer)) trial.notOffered(`LIST is refused (${replyName(answer.end.type)})`);
    const claim = {
      sent: 'NBD_OPT_LIST',
      expected: 'NBD_REP_SERVER for each export, with a name that fits, then NBD_REP_ACK',
      section,
    };
    await trial.claimInHandshake(claim, async (handshake) => wrongIn(await handshake.ask(Option.LIST)));
    const withData = {
      sent: 'NBD_OPT_LIST with 5 bytes of data',
      expected: 'NBD_REP_ERR_INVALID, and the next option is understood',
      section,
      strength: 'SHOULD',
    } as const;
    await trial.claimInHandshake(withData, async (handshake) => {
      const got = unlessReply(await handshake.ask(Option.LIST, 'bytes'), OptionReplyType.ERR_INVALID);
      await handshake.expectInSync();
      return got;
    });
  },
};

function wrongIn(answer: OptionAnswer): string | undefined {
  for (const { type, data } of answer.details) {
    if (type !== OptionReplyType.SERVER) return `${replyName(type)} among them`;
    if (data.length < 4) return `an NBD_REP_SERVER of ${data.length} bytes`;
    const length = data.readUInt32BE(0);
    if (length > data.length - 4) return `a name of ${hex(length)} bytes in ${data.length} bytes of data`;
  }
  return unlessReply(answer, OptionReplyType.ACK);
}
