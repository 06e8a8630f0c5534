const allocation: readonly string[] = ['data', 'hole', 'zero', 'hole,zero'];
const dirtiness: readonly string[] = ['clean', 'dirty'];
const depths: readonly string[] = ['absent', 'local'];

/**
 * What the flags of an extent mean, in the words of nbdinfo(1).
 *
 * @returns undefined in a metadata context that is not known, and for flags that it does not define
 */
export function describeType(context: string, type: bigint): string | undefined {
  const index = Number(type);
  if (context === 'base:allocation') return allocation[index];
  if (context.startsWith('qemu:dirty-bitmap:')) return dirtiness[index];
  if (context === 'qemu:allocation-depth') return depths[index] ?? `backing depth ${String(type)}`;
  return undefined;
}
