import { InvalidArgumentError } from 'commander';

const units = { '': 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n } as const;

/** A number of bytes as an option takes it: `1048576`, `1M`, `1MiB`; units are powers of 1024. */
export function parseBytes(text: string): bigint {
  const [, digits, unit = ''] = /^(\d{1,19})([KMGTP]?)(?:iB)?$/.exec(text) ?? [];
  if (digits === undefined || (unit === '' && text.endsWith('iB'))) {
    throw new InvalidArgumentError('It must be a number of bytes, such as 4096, 64K or 10G.');
  }
  return BigInt(digits) << units[unit as keyof typeof units];
}
