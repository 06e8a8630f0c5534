import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { contextData } from '../../wire/option.js';
import { isError, replyName, unlessReply } from '../../wire/option-reply.js';

const section = 'Option types: NBD_OPT_EXTENDED_HEADERS';
const { ACK, ERR_EXT_HEADER_REQD, ERR_INVALID, ERR_UNSUP } = OptionReplyType;

export const n11: Probe = {
  rule: 'N11',
  title: 'extended headers take the place of structured replies, and imply what these bring',
  modes: [],
  async run(trial) {
    const asked = await trial.server.negotiate();
    const answer = await asked.ask(Option.EXTENDED_HEADERS).finally(() => {
      asked.close();
    });
    if (isError(answer)) trial.notOffered('extended headers are not offered');

    await trial.claimInHandshake(
      {
        sent: 'NBD_OPT_EXTENDED_HEADERS with 4 bytes of data',
        expected: 'NBD_REP_ERR_INVALID',
        section,
        strength: 'SHOULD',
      },
      async (handshake) => unlessReply(await handshake.ask(Option.EXTENDED_HEADERS, 'data'), ERR_INVALID),
    );
    await trial.claimInHandshake(
      {
        sent: 'NBD_OPT_EXTENDED_HEADERS, then NBD_OPT_STRUCTURED_REPLY',
        expected: 'NBD_REP_ERR_EXT_HEADER_REQD to the second',
        section: 'Option types: NBD_OPT_STRUCTURED_REPLY',
        strength: 'SHOULD',
      },
      async (handshake) => {
        await handshake.demand(Option.EXTENDED_HEADERS);
        return unlessReply(await handshake.ask(Option.STRUCTURED_REPLY), ERR_EXT_HEADER_REQD);
      },
    );
    await trial.claimInHandshake(
      {
        sent: 'NBD_OPT_STRUCTURED_REPLY, then NBD_OPT_EXTENDED_HEADERS',
        expected: 'NBD_REP_ACK to both: a client may ask for the one first',
        section,
      },
      async (handshake) => {
        await handshake.ask(Option.STRUCTURED_REPLY);
        return unlessReply(await handshake.ask(Option.EXTENDED_HEADERS), ACK);
      },
    );
    await trial.claimInHandshake(
      {
        sent: 'NBD_OPT_EXTENDED_HEADERS, then NBD_OPT_SET_META_CONTEXT of base:allocation',
        expected: 'NBD_REP_ACK, or NBD_REP_ERR_UNSUP from a server without contexts',
        section: 'Option types: NBD_OPT_SET_META_CONTEXT',
      },
      async (handshake) => {
        await handshake.demand(Option.EXTENDED_HEADERS);
        const data = contextData(trial.server.exportName, 'base:allocation');
        const { end } = await handshake.ask(Option.SET_META_CONTEXT, data);
        return end.type === ACK || end.type === ERR_UNSUP ? undefined : replyName(end.type);
      },
    );
  },
};
