import {
  BLOCK_BYTES_MINIMUM_MAX,
  BLOCK_BYTES_PREFERRED_MIN,
  Command,
  NbdError,
} from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { ExportFacts } from '../../server/export-facts.js';
import type { Trial } from '../../trial.js';
import { unlessError } from '../../wire/reply.js';

const section = 'Size constraints';

export const t5: Probe = {
  rule: 'T5',
  title: 'block sizes are as they may be, and are enforced',
  modes: allModes,
  async run(trial) {
    const { blockSize, sizeBytes } = trial.factsInMode();
    if (blockSize === undefined || blockSize.minimum === 1) await servesSingleBytes(trial);
    if (blockSize === undefined) {
      trial.leaves('sizes: none are told');
      return;
    }
    await trial.claim(
      { sent: 'NBD_OPT_GO with NBD_INFO_BLOCK_SIZE', expected: 'sizes that are allowed', section },
      () => Promise.resolve(wrongWith(blockSize)),
    );
    await trial.claim(
      {
        sent: 'NBD_OPT_GO with NBD_INFO_BLOCK_SIZE',
        expected: 'an export that is a multiple of the minimum',
        section,
        strength: 'SHOULD',
      },
      () => {
        const isWhole = sizeBytes % BigInt(Math.max(1, blockSize.minimum)) === 0n;
        return Promise.resolve(isWhole ? undefined : `${sizeBytes} bytes, minimum ${blockSize.minimum}`);
      },
    );
    if (blockSize.minimum > 1) await refusesMisaligned(trial, blockSize.minimum);
  },
};

async function servesSingleBytes(trial: Trial): Promise<void> {
  const claim = {
    sent: 'READ of 1 byte at offset 1, with a minimum of 1 told or none',
    expected: 'the byte',
    section,
    strength: 'SHOULD',
  } as const;
  await trial.claimInSession(claim, async (session) => {
    await session.read(1n, 1);
    return undefined;
  });
}

function wrongWith({
  minimum,
  preferred,
  maximum,
}: NonNullable<ExportFacts['blockSize']>): string | undefined {
  if (!isPowerOfTwo(minimum) || minimum > BLOCK_BYTES_MINIMUM_MAX) return `a minimum of ${minimum}`;
  if (!isPowerOfTwo(preferred) || preferred < Math.max(minimum, BLOCK_BYTES_PREFERRED_MIN)) {
    return `a preferred size of ${preferred}, with a minimum of ${minimum}`;
  }
  return maximum >= preferred ? undefined : `a maximum of ${maximum}, below the preferred size`;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

async function refusesMisaligned(trial: Trial, minimum: number): Promise<void> {
  for (const asksBlockSize of [true, false]) {
    const claim = {
      sent: `READ of one byte at offset 1, by a client that ${asksBlockSize ? 'asked' : 'did not ask'} for sizes`,
      expected: `NBD_EINVAL, since the minimum is ${minimum}`,
      section: 'Error values; Size constraints',
      strength: 'SHOULD',
    } as const;
    await trial.claimInSession(
      claim,
      async (session) => {
        const reply = await session.ask({ type: Command.READ, offset: 1n, length: 1 });
        // Without the sizes told, a server may serve what it can.
        return asksBlockSize || reply.error !== 0 ? unlessError(reply, NbdError.EINVAL) : undefined;
      },
      { asksBlockSize },
    );
  }
}
