import { Option } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { infoData, optionName } from '../../wire/option.js';
import { isError, replyName } from '../../wire/option-reply.js';
import { grantsEveryName, UNKNOWN_EXPORT } from './unknown-export.js';

export const n12: Probe = {
  rule: 'N12',
  title: 'a client that is unwelcome is told by an error, not cut off',
  modes: [],
  async run(trial) {
    if (await grantsEveryName(trial)) trial.notTried('the server takes every name, so nobody is unwelcome');
    trial.leaves('ERR_SHUTDOWN: the server would have to stop');
    for (const code of [Option.INFO, Option.GO]) {
      const claim = {
        sent: `${optionName(code)} of an export that is not there, three times`,
        expected: 'an error each time, and the next option is understood',
        section: 'Termination of the session during option haggling',
      };
      await trial.claimInHandshake(claim, async (handshake) => {
        for (let round = 0; round < 3; round++) {
          const answer = await handshake.ask(code, infoData(UNKNOWN_EXPORT));
          if (!isError(answer)) return replyName(answer.end.type);
        }
        await handshake.expectInSync();
        return undefined;
      });
    }
  },
};
