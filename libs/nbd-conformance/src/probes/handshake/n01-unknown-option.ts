import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { hex } from '../../wire/bytes.js';
import { option } from '../../wire/option.js';
import { unlessReply } from '../../wire/option-reply.js';

/** Of no meaning to anybody. */
export const UNKNOWN_OPTION = 0x7f11_d3e5;

export const n1: Probe = {
  rule: 'N1',
  title: 'an unknown option is skipped to its exact end, and answered ERR_UNSUP',
  modes: [],
  async run(trial) {
    for (const length of [0, 1, 100, 3000]) {
      const claim = {
        sent: `option ${hex(UNKNOWN_OPTION)} with ${length} bytes of data`,
        expected: 'NBD_REP_ERR_UNSUP, and the next option is understood',
        section: 'Compatibility and interoperability: Baseline',
      };
      await trial.claimInHandshake(claim, async (handshake) => {
        // The data looks like options: whoever loses count answers them.
        const data = Buffer.alloc(length, option(Option.LIST));
        const got = unlessReply(await handshake.ask(UNKNOWN_OPTION, data), OptionReplyType.ERR_UNSUP);
        if (got === undefined) await handshake.expectInSync();
        return got;
      });
    }
  },
};
