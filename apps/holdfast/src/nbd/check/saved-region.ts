import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import type { Region } from '@holdfast/nbd-conformance';

/** Keeps what could not be written back in a file. @returns the error that says where */
export function notRestored(reason: string, { offset, length }: Region, saved: Uint8Array): HoldfastError {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'holdfast-check-')), 'overwritten.raw');
  writeFileSync(file, saved, { mode: 0o600 });
  return new HoldfastError(
    'NBD_REQUEST_FAILED',
    `what was overwritten could not be written back (${reason}): the ${length} bytes from offset ${offset} are in ${file}`,
    { file, offset: String(offset) },
  );
}
