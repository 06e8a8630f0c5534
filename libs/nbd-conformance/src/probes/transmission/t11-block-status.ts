import { AllocationState, Command, CommandFlag, EXTENTS_MAX, NbdError } from '@holdfast/nbd-protocol';
import { chunkedModes, type Probe } from '../../probe.js';
import { statusIn, type Extent } from '../../server/extents.js';
import type { Session } from '../../server/session.js';
import type { Claim, Trial } from '../../trial.js';
import { errorName, unlessError } from '../../wire/reply.js';

const BASE = 'base:allocation';
const section = 'Request types: NBD_CMD_BLOCK_STATUS';
const KNOWN_STATES = BigInt(AllocationState.HOLE | AllocationState.ZERO);

export const t11: Probe = {
  rule: 'T11',
  title: 'BLOCK_STATUS answers one chunk for each context, bounded; without a context it is EINVAL',
  modes: chunkedModes,
  async run(trial) {
    await needsContext(trial);
    if (!trial.hasContexts()) {
      trial.leaves(`extents: there is no context ${BASE}`);
      return;
    }
    await describes(trial);
    await describesOne(trial);
  },
};

async function needsContext(trial: Trial): Promise<void> {
  const claim = {
    sent: 'BLOCK_STATUS without a context',
    expected: 'NBD_EINVAL, and the next request is understood',
    section: 'Metadata querying',
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(claim, async (session) => {
    const reply = await session.ask({ type: Command.BLOCK_STATUS, length: session.blockSize.minimum });
    const got = unlessError(reply, NbdError.EINVAL);
    if (got === undefined) await session.expectInSync();
    return got;
  });
}

async function describes(trial: Trial): Promise<void> {
  const sent = 'BLOCK_STATUS of the export, or of 1 GiB of it';
  const must = {
    sent,
    expected: 'one chunk of base:allocation, no extent of length 0, and only the last past the request',
    section,
  };
  await claimExtents(trial, must, 0, (extents, length) => {
    if (extents.some((extent) => extent.length === 0n)) return 'an extent of length 0';
    const before = sumOf(extents.slice(0, -1));
    return before >= length ? `${before} bytes before the last extent, of ${length}` : undefined;
  });
  const should = { sent, section, strength: 'SHOULD' } as const;
  await claimExtents(trial, { ...should, expected: 'at most 2^20 extents' }, 0, ({ length }) =>
    length > EXTENTS_MAX ? `${length} extents` : undefined,
  );
  await claimExtents(
    trial,
    { ...should, expected: 'no flags but HOLE and ZERO', section: 'base:allocation metadata context' },
    0,
    (extents) => {
      const odd = extents.find(({ flags }) => (flags & 0xffff_ffffn & ~KNOWN_STATES) !== 0n);
      return odd === undefined ? undefined : `flags ${odd.flags}`;
    },
  );
  await claimExtents(trial, { ...should, expected: 'neighbours that differ in flags' }, 0, (extents) => {
    const at = extents.findIndex((extent, index) => extent.flags === extents[index + 1]?.flags);
    return at === -1 ? undefined : `extents ${at} and ${at + 1} with the same flags`;
  });
}

async function describesOne(trial: Trial): Promise<void> {
  const claim = {
    sent: 'BLOCK_STATUS of the export, or of 1 GiB of it, with NBD_CMD_FLAG_REQ_ONE',
    expected: 'one extent, not longer than the request',
    section,
  };
  await claimExtents(trial, claim, CommandFlag.REQ_ONE, (extents, length) => {
    const [only] = extents;
    if (extents.length !== 1 || only === undefined) return `${extents.length} extents`;
    return only.length > length ? `an extent of ${only.length} bytes, of ${length}` : undefined;
  });
}

async function claimExtents(
  trial: Trial,
  claim: Claim,
  flags: number,
  look: (extents: readonly Extent[], length: bigint) => string | undefined,
): Promise<void> {
  await trial.claimInSession(
    claim,
    async (session) => {
      const length = lengthFor(session);
      const reply = await session.ask({ type: Command.BLOCK_STATUS, flags, length });
      if (reply.error !== 0) return errorName(reply.error);
      const told = statusIn(reply);
      const [only] = told;
      if (told.length !== 1 || only === undefined) return `${told.length} chunks for one context`;
      const id = session.contexts.get(BASE);
      if (only.id !== id) return `a chunk of context ${only.id}, which was not selected`;
      return look(only.extents, length);
    },
    { contexts: [BASE] },
  );
}

function lengthFor({ facts, blockSize }: Session): bigint {
  const most = facts.sizeBytes < 2n ** 30n ? facts.sizeBytes : 2n ** 30n;
  return most - (most % BigInt(blockSize.minimum));
}

function sumOf(extents: readonly Extent[]): bigint {
  return extents.reduce((sum, { length }) => sum + length, 0n);
}
