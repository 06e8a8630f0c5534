import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const here = import.meta.dirname;

/** Every file in this folder that begins as a shell script does. */
const scripts = readdirSync(here, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .filter((file) => readFileSync(file, 'utf8').startsWith('#!'))
  .map((file) => path.relative(here, file));

const noShellcheck = spawnSync('shellcheck', ['--version']).error !== undefined;

test('the scripts are found', () => {
  expect(scripts).toEqual(expect.arrayContaining(['libvirt/qemu', 'xen/block-holdfast']));
});

describe.each(scripts)('%s', (script) => {
  const text = readFileSync(path.join(here, script), 'utf8');

  test('is for every POSIX shell, may be run, and stops at what fails', () => {
    expect(text.split('\n')[0]).toBe('#!/bin/sh');
    expect(text).toMatch(/^set -eu$/m);
    accessSync(path.join(here, script), constants.X_OK);
  });

  test('never has the shell read data as code', () => {
    expect(text.replaceAll(/^\s*#.*$/gm, '')).not.toMatch(/\beval\b|`/);
  });

  test.skipIf(noShellcheck)(`pleases shellcheck${noShellcheck ? ' [skipped: needs shellcheck]' : ''}`, () => {
    execFileSync('shellcheck', ['--shell=sh', path.join(here, script)], { stdio: 'pipe' });
  });
});
