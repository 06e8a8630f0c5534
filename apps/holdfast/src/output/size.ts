const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** What is shown as 1024.0 is 1.0 of the next unit. */
const NEXT_UNIT_FROM = 1023.95;

/** Bytes as a person reads them: `1 GiB`, `1.5 MiB`, `1000 B`. */
export function formatSize(bytes: bigint): string {
  let unit = 0;
  let value = Number(bytes);
  while (value >= NEXT_UNIT_FROM && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return `${digits} ${UNITS[unit] ?? 'B'}`;
}

/** The last segment of a resource name. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
