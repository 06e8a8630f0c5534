import { Command, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import { statusIn } from '../../server/extents.js';
import type { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';
import { bytesOf } from '../../wire/bytes.js';
import { errorName, unlessError, type Reply } from '../../wire/reply.js';
import type { Request } from '../../wire/request.js';

const BASE = 'base:allocation';
const contexts = [BASE];

export const t12: Probe = {
  rule: 'T12',
  title: 'extended replies echo the offset; the upper flags of base: are zero; wrong filters are EINVAL',
  modes: ['extended'],
  async run(trial) {
    await echoesOffset(trial, 'a READ', ({ minimum }) => ({
      type: Command.READ,
      offset: BigInt(minimum),
      length: minimum,
    }));
    await echoesOffset(trial, 'a READ far past the end', () => ({
      type: Command.READ,
      offset: 2n ** 62n + 4096n,
      length: 4096,
    }));
    if (!trial.hasContexts()) {
      trial.leaves(`BLOCK_STATUS: there is no context ${BASE}`);
      return;
    }
    await keepsUpperFlagsZero(trial);
    await filters(trial);
  },
};

async function echoesOffset(
  trial: Trial,
  sent: string,
  request: (sizes: Session['blockSize']) => Request,
): Promise<void> {
  const claim = {
    sent,
    expected: 'the offset of the request in every header of the reply',
    section: 'Transmission: Extended reply chunk message',
  };
  await trial.claimInSession(claim, async (session) => {
    const asked = request(session.blockSize);
    return otherOffsetIn(await session.ask(asked), asked.offset ?? 0n);
  });
}

function otherOffsetIn({ form, chunks }: Reply, offset: bigint): string | undefined {
  if (form !== 'extended') return `a ${form} reply`;
  const other = chunks.find((chunk) => chunk.offset !== offset);
  return other === undefined ? undefined : `offset ${other.offset ?? 0n}, not ${offset}`;
}

async function keepsUpperFlagsZero(trial: Trial): Promise<void> {
  const claim = {
    sent: 'BLOCK_STATUS',
    expected: 'extents of base:allocation whose upper 32 bits of flags are zero',
    section: 'Structured reply types: NBD_REPLY_TYPE_BLOCK_STATUS_EXT',
  };
  await trial.claimInSession(
    claim,
    async (session) => {
      const reply = await session.ask({ type: Command.BLOCK_STATUS, length: session.blockSize.minimum });
      if (reply.error !== 0) return errorName(reply.error);
      const wide = statusIn(reply)
        .flatMap(({ extents }) => extents)
        .find(({ flags }) => flags > 0xffff_ffffn);
      return wide === undefined ? otherOffsetIn(reply, 0n) : `flags ${wide.flags}`;
    },
    { contexts },
  );
}

async function filters(trial: Trial): Promise<void> {
  const wrong: [what: string, ids: (id: number) => number[]][] = [
    ['that names an id twice', (id) => [id, id]],
    ['that names an unknown id', (id) => [id ^ 0x5555_5555]],
  ];
  const section = 'Request types: NBD_CMD_BLOCK_STATUS';
  for (const [what, ids] of wrong) {
    const claim = {
      sent: `BLOCK_STATUS with a payload ${what}`,
      expected: 'the payload consumed, NBD_EINVAL, and the next request is understood',
      section,
    };
    await trial.claimInSession(
      claim,
      async (filtered) => {
        const reply = await filtered.ask(filterOf(filtered, ids));
        const got = unlessError(reply, NbdError.EINVAL);
        if (got === undefined) await filtered.expectInSync();
        return got;
      },
      { contexts },
    );
  }
  const right = {
    sent: 'BLOCK_STATUS with a payload that names one id',
    expected: 'a chunk of that context',
    section,
  };
  await trial.claimInSession(
    right,
    async (filtered) => {
      if (!filtered.has(TransmissionFlag.BLOCK_STATUS_PAYLOAD)) {
        trial.leaves('a payload that filters: not offered');
        return undefined;
      }
      const reply = await filtered.ask(filterOf(filtered, (id) => [id]));
      if (reply.error !== 0) return errorName(reply.error);
      const told = statusIn(reply).map(({ id }) => id);
      return told.join() === String(filtered.contexts.get(BASE)) ? undefined : `contexts ${told.join(', ')}`;
    },
    { contexts },
  );
}

function filterOf({ contexts: selected, blockSize }: Session, ids: (id: number) => number[]): Request {
  const id = selected.get(BASE) ?? 0;
  const payload = bytesOf([64, blockSize.minimum], ...ids(id).map((one) => [32, one >>> 0] as const));
  return { type: Command.BLOCK_STATUS, payloadLen: true, payload };
}
