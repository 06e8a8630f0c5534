import { gatewayV1 } from '@holdfast/contracts';
import { beforeEach, expect, test } from 'vitest';
import { defaultStateFolder } from '../client/endpoints.js';
import { capturePrinted, type Printed } from '../testing/printed.js';
import { Announcer } from './announcer.js';

const disk = gatewayV1.Export.fromPartial({
  name: 'exports/disk.img',
  device: 'devices/disk.img',
  uris: ['nbd://127.0.0.1:10809/disk.img', 'nbd+unix:///disk.img?socket=/s/nbd.sock'],
});
const unixOnly = { ...disk, uris: disk.uris.slice(1) };

let printed: Printed;

beforeEach(() => {
  printed = capturePrinted();
});

test('an export that can be used is one line on standard output', () => {
  new Announcer(false).ready([disk, unixOnly], '/s');
  expect(printed.stdout).toBe(
    'ready nbd://127.0.0.1:10809/disk.img nbd+unix:///disk.img?socket=/s/nbd.sock\n' +
      'ready nbd+unix:///disk.img?socket=/s/nbd.sock\n',
  );
});

test('T18 in JSON it says what clients get, false included, and nothing goes to standard error', () => {
  new Announcer(true).ready([disk, { ...disk, effectiveReadOnly: true }], '/s');
  const lines = printed.stdout.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { readOnly: unknown }).readOnly)).toEqual([false, true]);
  expect(printed.stderr).toBe('');
});

test('what to try names the state folder, unless it is the default one', () => {
  new Announcer(false).ready([disk], '/srv/my lab');
  expect(printed.stderr).toContain("  npx holdfast status --state '/srv/my lab'\n");
  printed.stderr = '';
  new Announcer(false).ready([disk], defaultStateFolder());
  expect(printed.stderr).toContain('  npx holdfast status\n');
});

test('what to try can be typed into a shell', () => {
  new Announcer(false).ready([unixOnly], '/s');
  expect(printed.stderr).toContain("  nbdinfo 'nbd+unix:///disk.img?socket=/s/nbd.sock'\n");
});

test('when no export can be used it says where to look', () => {
  new Announcer(false).ready([], '/s');
  expect(printed.stdout).toBe('');
  expect(printed.stderr).toContain('  npx holdfast device list --state /s\n');
});
