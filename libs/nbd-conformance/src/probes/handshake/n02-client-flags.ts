import { Option } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { CLIENT_FLAGS } from '../../server/handshake.js';
import { hex } from '../../wire/bytes.js';
import { option } from '../../wire/option.js';

export const n2: Probe = {
  rule: 'N2',
  title: 'client flags that were not offered end the connection',
  modes: [],
  async run(trial) {
    for (const flag of [0x4, 0x8000_0000]) {
      const flags = (CLIENT_FLAGS | flag) >>> 0;
      const claim = {
        sent: `client flags ${hex(flags)}, then NBD_OPT_LIST`,
        expected: 'the server closes without an answer',
        section: 'Handshake phase: Client flags',
      };
      await trial.claim(claim, async () => {
        const { stream } = await trial.server.greet(flags);
        stream.send(option(Option.LIST));
        const got = await stream.expectEnd();
        stream.close();
        return got;
      });
    }
  },
};
