import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { atEnd } from './cleanup.js';

/** A new empty folder that other users may enter, removed at the end of the test file. Its path is short: sockets fit. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-e2e-'));
  chmodSync(folder, 0o755);
  atEnd(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
