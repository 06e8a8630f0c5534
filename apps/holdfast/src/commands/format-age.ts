const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** How long ago something was, as a person says it: `12 s`, `3 min`, `2 h`; `-` when it is not known. */
export function formatAge(time: Date | undefined, now: Date): string {
  if (time === undefined) return '-';
  const seconds = Math.max(0, Math.floor((now.getTime() - time.getTime()) / 1000));
  const [unit, size] = UNITS.find(([, long]) => seconds >= 2 * long) ?? ['s', 1];
  return `${String(Math.floor(seconds / size))} ${unit}`;
}
