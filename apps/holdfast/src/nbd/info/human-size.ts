const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const;

/** A size in the largest unit of which it is a whole multiple, as nbdinfo(1) has it: `1M`, `1025K`, `1000`. */
export function humanSize(bytes: bigint): string {
  let value = bytes;
  let unit = 0;
  while (value !== 0n && value % 1024n === 0n && unit < UNITS.length - 1) {
    value /= 1024n;
    unit += 1;
  }
  return `${String(value)}${UNITS[unit] ?? ''}`;
}
