import { gatewayV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
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
  new Announcer(false).ready([disk, unixOnly], '/s', undefined);
  expect(printed.stdout).toBe(
    'ready nbd://127.0.0.1:10809/disk.img nbd+unix:///disk.img?socket=/s/nbd.sock\n' +
      'ready nbd+unix:///disk.img?socket=/s/nbd.sock\n',
  );
});

test('T18 in JSON it says what clients get, false included, and nothing goes to standard error', () => {
  new Announcer(true).ready([disk, { ...disk, effectiveReadOnly: true }], '/s', undefined);
  const lines = printed.stdout.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { readOnly: unknown }).readOnly)).toEqual([false, true]);
  expect(printed.stderr).toBe('');
});

test('what to try names the state folder, unless it is the default one', () => {
  new Announcer(false).ready([disk], '/srv/my lab', undefined);
  expect(printed.stderr).toContain("  npx holdfast status --state '/srv/my lab'\n");
  printed.stderr = '';
  new Announcer(false).ready([disk], defaultStateFolder(), undefined);
  expect(printed.stderr).toContain('  npx holdfast status\n');
});

test('what to try can be typed into a shell', () => {
  new Announcer(false).ready([unixOnly], '/s', undefined);
  expect(printed.stderr).toContain("  nbdinfo 'nbd+unix:///disk.img?socket=/s/nbd.sock'\n");
});

test('when no export can be used it says where to look', () => {
  new Announcer(false).ready([], '/s', undefined);
  expect(printed.stdout).toBe('');
  expect(printed.stderr).toContain('  npx holdfast device list --state /s\n');
});

describe('what to try where TLS is needed', () => {
  const secured = { ...disk, uris: ['nbds://127.0.0.1:10809/disk.img'] };
  const choice = { mode: 'required', minimumVersion: undefined } as const;
  const certificates = { folder: '/tls/server', ofClients: 'required' } as const;

  test('is by a certificate of the client, or by a key', () => {
    new Announcer(false).ready([secured], '/s', { ...choice, certificates, pskFile: '/tls/my keys' });
    expect(commandsIn(printed.stderr)).toEqual([
      "nbdinfo 'nbds://127.0.0.1:10809/disk.img?tls-certificates=/CLIENT/FOLDER'",
      "nbdinfo 'nbds://USER@127.0.0.1:10809/disk.img?tls-psk-file=/tls/my%20keys'",
      'npx holdfast status --state /s',
    ]);
  });

  test('is nothing that the server does not take', () => {
    new Announcer(false).ready([secured], '/s', { ...choice, certificates, pskFile: undefined });
    expect(printed.stderr).not.toContain('tls-psk-file');
    printed.stderr = '';
    new Announcer(false).ready([secured], '/s', { ...choice, certificates: undefined, pskFile: '/k' });
    expect(printed.stderr).not.toContain('tls-certificates');
  });

  test('is as ever for an export that needs none', () => {
    const perExport = { ...choice, mode: 'per-export', certificates, pskFile: undefined } as const;
    new Announcer(false).ready([disk], '/s', perExport);
    expect(commandsIn(printed.stderr)).toContain('nbdinfo nbd://127.0.0.1:10809/disk.img');
  });
});

function commandsIn(hints: string): string[] {
  return [...hints.matchAll(/^ {2}(.*)$/gm)].map(([, command = '']) => command);
}
