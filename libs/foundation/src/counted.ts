/** How many of something, for people: `1 session`, `2 sessions`. @param noun in the singular, with a plural in -s */
export function counted(count: number | bigint, noun: string): string {
  return `${String(count)} ${noun}${BigInt(count) === 1n ? '' : 's'}`;
}
