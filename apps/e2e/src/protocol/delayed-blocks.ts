import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasCommand, requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const BLOCK_BYTES = 4096;

/**
 * Byte offsets of the blocks of a file that were written and have no place on the disk yet: the file system allocates
 * late, and FIEMAP tells (`delalloc`). A block that is on stable storage is not among them.
 */
export function delayedBlocks(file: string): Set<number> {
  const blocks = new Set<number>();
  const report = execFileSync('/usr/sbin/filefrag', ['-v', `-b${String(BLOCK_BYTES)}`, file], {
    encoding: 'utf8',
  });
  for (const line of report.split('\n')) {
    const [, first, last] = /^ *\d+: *(\d+)\.\. *(\d+):.*delalloc/.exec(line) ?? [];
    for (let block = Number(first); block <= Number(last); block++) blocks.add(block * BLOCK_BYTES);
  }
  return blocks;
}

/** What {@link delayedBlocks} needs: the program, and a file system that allocates late (ext4, xfs). */
export function lateAllocation() {
  const installed = hasCommand('filefrag');
  return requirement({
    filefrag: installed,
    'a file system that allocates late': installed && allocatesLate(),
  });
}

function allocatesLate(): boolean {
  const file = path.join(scratchFolder(), 'probe');
  writeFileSync(file, Buffer.alloc(BLOCK_BYTES, 1));
  try {
    return delayedBlocks(file).has(0);
  } catch {
    return false;
  } finally {
    rmSync(file);
  }
}
