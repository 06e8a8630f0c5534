import { statSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { start, type Running } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { holdfastProgram, runHoldfast } from '../support/holdfast-program.js';
import { sha256 } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** Copies to the end. @throws Error unless it succeeds */
export async function copy(from: string, to: string, ...options: readonly string[]): Promise<void> {
  const { code, stderr } = await runHoldfast(['nbd', 'copy', ...options, from, to]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

/** A path at which nothing is. */
export function newPath(name = 'copy.img'): string {
  return path.join(scratchFolder(), name);
}

export async function expectSameFile(copied: string, original: string): Promise<void> {
  expect(statSync(copied).size).toBe(statSync(original).size);
  expect(await sha256(copied)).toBe(await sha256(original));
}

/** Bytes that a file takes on its disk, as du(1) tells. */
export function storage(file: string): number {
  return statSync(file).blocks * 512;
}

/** What a copy tells a program. */
export interface Told {
  readonly event: 'progress' | 'done';
  readonly copied: number;
  readonly total: number;
  readonly resumeFrom: number;
}

/** A copy under way, with `--json`. */
export function startCopy(from: string, to: string, ...options: readonly string[]): Running {
  return start(process.execPath, [holdfastProgram, 'nbd', 'copy', '--json', ...options, from, to]);
}

export function toldBy(running: Running): Told[] {
  const lines = running.output().stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Told);
}

/** Waits until a copy has told of progress. */
export async function underWay(running: Running): Promise<void> {
  await eventually('the copy to have begun', () => toldBy(running).some(({ copied }) => copied > 0));
}

/** The error that a copy ended with, and where it says that one may go on. */
export async function failureOf(running: Running) {
  const { code, stderr } = await running.finished;
  const { error } = JSON.parse(stderr) as {
    error: { code: string; message: string; metadata: Record<string, string> };
  };
  return { code, error, resumeFrom: error.metadata['resumeFrom'] ?? '' };
}
