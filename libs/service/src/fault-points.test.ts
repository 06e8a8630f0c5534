import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { armFaultPoints, reached } from './fault-points.js';

afterEach(() => {
  armFaultPoints('');
});

function folderWith(...points: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-faults-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const point of points) writeFileSync(path.join(folder, point), '');
  return folder;
}

test('nobody stops where no folder is set', async () => {
  await reached('attach.held');
});

test('nobody stops at a point without a file', async () => {
  armFaultPoints(folderWith('attach.opened'));
  await reached('attach.held');
});

test('the first to come by stops until it is let go, the next goes on', async () => {
  const folder = folderWith('attach.held');
  armFaultPoints(folder);
  let over = false;
  const first = reached('attach.held').then(() => (over = true));
  const file = path.join(folder, 'attach.held.reached');
  expect(existsSync(file)).toBe(true);
  await reached('attach.held');
  await new Promise((wake) => setTimeout(wake, 30));
  expect(over).toBe(false);
  renameSync(file, path.join(folder, 'elsewhere'));
  await first;
});
