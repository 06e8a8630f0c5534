import { ChunkType, Command, CommandFlag, ReplyFlag, TransmissionFlag } from '@holdfast/nbd-protocol';
import { chunkedModes, type Probe } from '../../probe.js';
import { dataOf, isContent } from '../../server/read-content.js';
import type { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';
import { errorName, type Reply } from '../../wire/reply.js';

const section = 'Request types: NBD_CMD_READ';

/** "the server MUST support unfragmented reads in which the client's request length does not exceed 65,536 bytes". */
const UNFRAGMENTED_BYTES = 65_536;

export const t9: Probe = {
  rule: 'T9',
  title: 'the chunks of a READ lie inside it, do not overlap and cover it; DF means one',
  modes: chunkedModes,
  async run(trial) {
    await covers(trial);
    const { flags } = trial.factsInMode();
    if ((flags & TransmissionFlag.SEND_DF) === 0) trial.leaves('DF: not offered');
    else await keepsWhole(trial);
  },
};

async function covers(trial: Trial): Promise<void> {
  const claim = {
    sent: 'READs at the begin, in the middle and at the end',
    expected: 'chunks that make up the data of the request, DONE on the last, and nothing behind it',
    section,
  };
  await trial.claimInSession(claim, async (session) => {
    for (const [offset, length] of placesIn(session)) {
      const reply = await session.ask({ type: Command.READ, offset, length });
      const got = wrongIn(reply);
      if (got !== undefined) return got;
      dataOf(reply, trial.mode, { offset, length });
    }
    return undefined;
  });
  const same = { sent: 'a READ, and the same in simple mode', expected: 'the same data', section };
  // One behind the other: there are servers that serve one client at a time.
  const plain = await trial.server.enter('simple');
  const expected: Buffer[] = [];
  for (const [offset, length] of placesIn(plain)) expected.push(await plain.read(offset, length));
  plain.leave();
  await trial.claimInSession(same, async (session) => {
    for (const [index, [offset, length]] of placesIn(session).entries()) {
      const data = await session.read(offset, length);
      if (expected[index]?.equals(data) !== true) return `other data at offset ${offset}, length ${length}`;
    }
    return undefined;
  });
}

async function keepsWhole(trial: Trial): Promise<void> {
  const claim = {
    sent: `READs with NBD_CMD_FLAG_DF of up to ${UNFRAGMENTED_BYTES} bytes`,
    expected: 'at most one content chunk, with the whole of the data',
    section,
  };
  await trial.claimInSession(claim, async (session) => {
    for (const [offset, length] of placesIn(session)) {
      const reply = await session.ask({ type: Command.READ, offset, length, flags: CommandFlag.DF });
      const got = wrongIn(reply);
      if (got !== undefined) return got;
      const pieces = reply.chunks.filter(isContent).length;
      if (pieces > 1) return `${pieces} content chunks (offset ${offset}, length ${length})`;
      dataOf(reply, trial.mode, { offset, length });
    }
    return undefined;
  });
}

function wrongIn({ error, chunks }: Reply): string | undefined {
  if (error !== 0) return errorName(error);
  const none = chunks.find(({ type }) => type === ChunkType.NONE);
  return none !== undefined && (none.flags & ReplyFlag.DONE) === 0
    ? 'NBD_REPLY_TYPE_NONE without DONE'
    : undefined;
}

/** Within the export, in whole blocks. */
function placesIn({ facts, blockSize }: Session): [offset: bigint, length: number][] {
  const unit = blockSize.minimum;
  const blocks = facts.sizeBytes / BigInt(unit);
  const wanted: [block: bigint, length: number][] = [
    [0n, unit],
    [0n, UNFRAGMENTED_BYTES],
    [blocks / 3n, 3 * unit],
    [blocks / 2n, UNFRAGMENTED_BYTES - unit],
    [blocks - 1n, unit],
    [blocks - BigInt(Math.ceil(4096 / unit)), Math.ceil(4096 / unit) * unit],
  ];
  return wanted
    .map(([block, length]): [bigint, number] => [block * BigInt(unit), length])
    .filter(
      ([offset, length]) =>
        offset >= 0n &&
        length > 0 &&
        length <= blockSize.maximum &&
        offset + BigInt(length) <= facts.sizeBytes,
    );
}
