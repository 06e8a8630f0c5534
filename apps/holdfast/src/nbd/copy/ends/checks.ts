import { statSync, type BigIntStats } from 'node:fs';
import { assert } from '@holdfast/foundation';
import { TransmissionFlag } from '@holdfast/nbd-protocol';
import { sizeOf, type Opened } from './opened.js';
import type { Place } from './place.js';
import { refused } from './refused.js';
import { isSameExport } from './same-export.js';

/** Before anything is opened: the lock of one end would refuse the other, and not say why. */
export function refuseSameFile(source: Place, destination: Place): void {
  if (source.kind !== 'file' || destination.kind !== 'file') return;
  const a = statSync(source.path, { bigint: true, throwIfNoEntry: false });
  const b = statSync(destination.path, { bigint: true, throwIfNoEntry: false });
  if (a === undefined || b === undefined || identity(a) !== identity(b)) return;
  throw refused(`${source.name} and ${destination.name} are the same ${a.isFile() ? 'file' : 'device'}`);
}

function identity(stat: BigIntStats): string {
  return stat.isBlockDevice() ? `device ${stat.rdev}` : `file ${stat.dev} ${stat.ino}`;
}

/**
 * Before anything is written.
 *
 * @returns the size of the source, bytes
 * @throws HoldfastError COPY_REFUSED
 */
export function checkTogether(source: Opened, destination: Opened, resumeFrom: bigint): bigint {
  const sizeBytes = sizeOf(source);
  assert(sizeBytes !== undefined, 'a source has a size');
  if (resumeFrom > sizeBytes) {
    throw refused(
      `--resume-from ${resumeFrom} is beyond the ${sizeBytes} bytes of ${source.name}: is it the same source?`,
    );
  }
  if (source.kind === 'nbd' && destination.kind === 'nbd' && isSameExport(source, destination)) {
    throw refused(`${source.name} and ${destination.name} are the same export`);
  }
  if (destination.kind === 'nbd') checkExport(destination.name, destination.connection.exportInfo);
  checkRoom(destination, sizeBytes);
  return sizeBytes;
}

function checkExport(name: string, { transmissionFlags }: { readonly transmissionFlags: number }): void {
  if ((transmissionFlags & TransmissionFlag.READ_ONLY) === 0) return;
  throw refused(`${name} is read-only: choose an export that may be written to`);
}

/** A file grows as needed; whatever else is larger than the source keeps its rest. */
function checkRoom(destination: Opened, sizeBytes: bigint): void {
  const room = sizeOf(destination);
  const grows = destination.kind === 'file' && destination.file.identity.kind === 'file';
  if (room === undefined || grows || room >= sizeBytes) return;
  throw refused(
    `${destination.name} has ${room} bytes, and the source has ${sizeBytes}: choose a destination at least as large`,
  );
}
