import { Command } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import { hex } from '../../wire/bytes.js';

const COOKIES = [
  ...new Set([
    0n,
    1n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n + 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    0x2560_9513_6744_6698n,
    ...Array.from({ length: 16 }, (_, index) => 1n << BigInt(4 * index + 2)),
  ]),
];

export const t16: Probe = {
  rule: 'T16',
  title: 'cookies are echoed bit for bit',
  modes: allModes,
  async run(trial) {
    trial.leaves('ESHUTDOWN: the server would have to stop');
    for (const [what, offset] of [
      ['READs', 0n],
      ['READs that fail', 2n ** 62n],
    ] as const) {
      const claim = {
        sent: `${what} with ${COOKIES.length} cookies of every kind`,
        expected: 'the cookie of the request in the reply',
        section: 'Transmission',
      };
      await trial.claimInSession(claim, async (session) => {
        for (const cookie of COOKIES) {
          await session.ask({ type: Command.READ, cookie, offset, length: session.blockSize.minimum });
        }
        return undefined;
      });
    }
    const claim = {
      sent: 'READs with different cookies, in one piece',
      expected: 'one reply with each cookie',
      section: 'Transmission',
    };
    await trial.claimInSession(claim, async (session) => {
      const read = { type: Command.READ, length: session.blockSize.minimum };
      const [first = read, ...others] = COOKIES.map((cookie) => ({ ...read, cookie }));
      session.send(first, ...others);
      const waiting = new Set(COOKIES);
      while (waiting.size > 0) {
        const { cookie } = await session.replyTo(read);
        if (!waiting.delete(cookie)) return `a reply with the cookie ${hex(cookie)}`;
      }
      return undefined;
    });
  },
};
