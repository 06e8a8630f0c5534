import { assert } from '@holdfast/foundation';
import type { UpstreamOffer } from '@holdfast/nbd-protocol';

/** JSON of what another NBD server offers, as it stands in the row of an attachment. */
export function remoteColumn({ transmissionFlags, blockSize, baseAllocation }: UpstreamOffer): string {
  const { minimum, preferred, payloadMaximum } = blockSize;
  return JSON.stringify({ transmissionFlags, minimum, preferred, payloadMaximum, baseAllocation });
}

/** @throws AssertionFailure when the column was not written by {@link remoteColumn} */
export function toRemote(column: string): UpstreamOffer {
  const fields = JSON.parse(column) as Readonly<Record<string, unknown>>;
  const number = (name: string): number => {
    const value = fields[name];
    assert(typeof value === 'number', `${name} of a remote export is a number`);
    return value;
  };
  const { baseAllocation } = fields;
  assert(typeof baseAllocation === 'boolean', 'baseAllocation of a remote export is true or false');
  return {
    transmissionFlags: number('transmissionFlags'),
    blockSize: {
      minimum: number('minimum'),
      preferred: number('preferred'),
      payloadMaximum: number('payloadMaximum'),
    },
    baseAllocation,
  };
}
