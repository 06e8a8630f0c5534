import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

const here = import.meta.dirname;
const TEMPLATE = 'holdfast-attach@.service';
const PROGRAM = '/usr/local/bin/holdfast';

const noSystemd = spawnSync('systemd-analyze', ['--version']).error !== undefined;
const note = noSystemd ? ' [skipped: needs systemd-analyze]' : '';

/** The units as they would be installed, but for the program, which is not there on every machine. @returns their folder */
function installed(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-units-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const program = path.resolve(here, '../../../apps/holdfast/bin/holdfast.js');
  for (const name of [TEMPLATE, 'holdfast.service']) {
    const text = readFileSync(path.join(here, name), 'utf8');
    expect(text).toContain(PROGRAM);
    writeFileSync(path.join(folder, name), text.replaceAll(PROGRAM, program));
  }
  copyFileSync(path.join(folder, TEMPLATE), path.join(folder, 'holdfast-attach@vm1.service'));
  return folder;
}

function analyze(...args: readonly string[]) {
  return spawnSync('systemd-analyze', args, {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_COLORS: '0' },
  });
}

describe.skipIf(noSystemd)(`the units${note}`, () => {
  test.each(['holdfast-attach@vm1.service', 'holdfast.service'])(
    '%s is understood by systemd to the last line',
    (name) => {
      const { status, stdout, stderr } = analyze('verify', '--man=no', path.join(installed(), name));
      const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('holdfast'));
      expect(ours).toEqual([]);
      expect(status).toBe(0);
    },
  );

  test('the attach unit is confined: systemd calls its exposure OK', () => {
    const unit = path.join(installed(), 'holdfast-attach@vm1.service');
    const { status, stdout } = analyze('security', '--offline=true', '--threshold=25', unit);
    expect({
      status,
      exposure: stdout.split('\n').findLast((line) => line.includes('exposure')),
    }).toMatchObject({ status: 0 });
  });

  test('a name goes through systemd-escape and back', () => {
    const escaped = execFileSync('systemd-escape', ['--template', TEMPLATE, 'db-1 $HOME'], {
      encoding: 'utf8',
    }).trim();
    expect(escaped).toBe('holdfast-attach@db\\x2d1\\x20\\x24HOME.service');
    const back = execFileSync('systemd-escape', ['--unescape', '--instance', escaped], { encoding: 'utf8' });
    expect(back.trim()).toBe('db-1 $HOME');
  });
});

test('the attach unit comes after holdfast, and a restart of holdfast does not stop it', () => {
  const text = readFileSync(path.join(here, TEMPLATE), 'utf8');
  expect(text).toMatch(/^After=holdfast\.service$/m);
  expect(text).not.toMatch(/^(Requires|BindsTo|PartOf)=/m);
});
