import { Command } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';

/** Enough to be outstanding still when DISC comes. */
const COOKIES = Array.from({ length: 16 }, (_, index) => BigInt(index));

const READ_BYTES = 65_536;

/** A server that forgets what is outstanding wins the race against its disk now and then. */
const ROUNDS = 3;

export const t15: Probe = {
  rule: 'T15',
  title: 'DISC finishes what is outstanding, and has no reply',
  modes: allModes,
  async run(trial) {
    const claim = {
      sent: `${COOKIES.length} READs and DISC, in one piece`,
      expected: 'a reply to each READ, then the end of the connection',
      section: 'Request types: NBD_CMD_DISC',
    };
    await trial.claim(claim, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const got = await finishes(trial);
        if (got !== undefined) return got;
      }
      return undefined;
    });
  },
};

async function finishes({ server, mode }: Trial): Promise<string | undefined> {
  const session = await server.enter(mode);
  try {
    const read = { type: Command.READ, length: lengthFor(session) };
    const [first = read, ...others] = COOKIES.map((cookie) => ({ ...read, cookie }));
    session.send(first, ...others, { type: Command.DISC });
    const waiting = new Set(COOKIES);
    // Replies may come in any order.
    while (waiting.size > 0) {
      const { cookie } = await session.replyTo(read);
      if (!waiting.delete(cookie)) return `a reply with the cookie ${cookie}`;
    }
    return await session.stream.expectEnd();
  } finally {
    session.close();
  }
}

function lengthFor({ facts, blockSize }: Session): number {
  const { minimum, maximum } = blockSize;
  const most = Math.min(READ_BYTES, maximum, Number(facts.sizeBytes));
  return most - (most % minimum);
}
