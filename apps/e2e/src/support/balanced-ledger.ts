import { eventually } from './eventually.js';
import type { Holdfast } from './holdfast.js';

/** `ledger show --json`; numbers that are 0 are left out. */
interface Shown {
  readonly ledger: {
    readonly variants: readonly {
      readonly acquired?: string;
      readonly released?: string;
      readonly acquiredBytes?: string;
      readonly releasedBytes?: string;
    }[];
    readonly violations?: readonly unknown[];
  };
}

/** E10: waits until everything that was acquired is released, to the byte, and nothing was ever wrong. @throws Error when it does not come to that */
export async function balancedLedger(holdfast: Holdfast): Promise<void> {
  await eventually('the ledger to balance', async () => {
    const { stdout } = await holdfast.cli('ledger', 'show', '--json');
    const { ledger } = JSON.parse(stdout) as Shown;
    if ((ledger.violations ?? []).length > 0) throw new Error(`the ledger has violations: ${stdout}`);
    return ledger.variants.every(
      ({ acquired, released, acquiredBytes, releasedBytes }) =>
        acquired === released && acquiredBytes === releasedBytes,
    );
  });
}
