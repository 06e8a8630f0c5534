import { Buffer } from 'node:buffer';
import { Command } from '@holdfast/nbd-protocol';
import { allModes, type Probe } from '../../probe.js';
import type { Region } from '../../server/server.js';

export const t3: Probe = {
  rule: 'T3',
  title: 'the payload of a WRITE that fails is drained, and the connection goes on',
  modes: allModes,
  async run(trial) {
    const region = trial.writable();
    const { sizeBytes } = trial.factsInMode();
    const writes: [what: string, request: Omit<Refusable, 'type'>][] = [
      ['with an unknown flag (bit 15)', { flags: 0x8000, offset: region.offset }],
      ['that begins at the end of the export', { offset: endOf(sizeBytes, region) }],
    ];
    for (const [what, request] of writes) {
      const claim = {
        sent: `NBD_CMD_WRITE ${what} and 64 KiB of payload, then a READ`,
        expected: 'an error, the payload drained, and a reply to the READ',
        section: 'Compatibility and interoperability: Baseline',
      };
      await trial.claimInSession(claim, async (session) => {
        const length = Math.min(region.length, session.blockSize.maximum);
        // Zeroes are no request: whoever leaves them there stumbles over them.
        const payload = Buffer.alloc(length);
        const reply = await session.ask({ type: Command.WRITE, payload, ...request });
        if (reply.error === 0) return 'success';
        await session.expectInSync();
        return undefined;
      });
    }
  },
};

interface Refusable {
  readonly type: number;
  readonly flags?: number;
  readonly offset: bigint;
}

/** The end, rounded up: that it is misaligned is not what is tried. */
function endOf(sizeBytes: bigint, { length }: Region): bigint {
  return ((sizeBytes + BigInt(length) - 1n) / BigInt(length)) * BigInt(length);
}
