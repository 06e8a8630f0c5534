import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { option } from '../../wire/option.js';
import { unlessReply } from '../../wire/option-reply.js';

const section = 'Option types: NBD_OPT_ABORT';

export const n6: Probe = {
  rule: 'N6',
  title: 'ABORT is acknowledged, and a peer that is gone already is no error',
  modes: [],
  async run(trial) {
    await trial.claimInHandshake(
      { sent: 'NBD_OPT_ABORT', expected: 'NBD_REP_ACK', section },
      async (handshake) => unlessReply(await handshake.ask(Option.ABORT), OptionReplyType.ACK),
    );
    await trial.claimInHandshake(
      {
        sent: 'NBD_OPT_ABORT with 5 bytes of data',
        expected: 'NBD_REP_ACK: the data is ignored',
        section,
        strength: 'SHOULD',
      },
      async (handshake) => unlessReply(await handshake.ask(Option.ABORT, 'bytes'), OptionReplyType.ACK),
    );
    const claim = {
      sent: 'NBD_OPT_ABORT, and the client is gone; then another connection',
      expected: 'the other connection is served',
      section,
      strength: 'SHOULD',
    } as const;
    await trial.claim(claim, async () => {
      const gone = await trial.server.negotiate();
      gone.stream.send(option(Option.ABORT));
      gone.close();
      const other = await trial.server.negotiate();
      await other.expectInSync().finally(() => {
        other.close();
      });
      return undefined;
    });
  },
};
