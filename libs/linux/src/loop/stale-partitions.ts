import { readdirSync, type Stats } from 'node:fs';
import { splitDevice } from '../device-identity.js';

/**
 * Whether an unbound device still has partitions of what it was bound to: the kernel removes them late, and a new
 * file behind them would be read through somebody else's table.
 */
export function hasPartitions({ rdev }: Stats): boolean {
  const { major, minor } = splitDevice(BigInt(rdev));
  return readdirSync(`/sys/dev/block/${major}:${minor}`).some((entry) => /^loop\d+p\d+$/.test(entry));
}
