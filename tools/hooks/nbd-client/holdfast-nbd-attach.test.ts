import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FakeNbd, type Slot } from '../testing/fake-nbd.js';

const script = path.join(import.meta.dirname, 'holdfast-nbd-attach');
const FREE: Slot = {};
const TCP_VM1 = 'nbd://127.0.0.1:10809/vm1';

describe('a slot is free only', () => {
  test.each<[string, Slot]>([
    ['with no pid', { pid: 12 }],
    ['with size 0', { size: 2048 }],
    ['with no read under way', { inflight: '       1        0' }],
    ['with no write under way', { inflight: '       0        3' }],
    ['with no device on top of it', { holder: 'dm-0' }],
  ])('%s', async (_rule, taken) => {
    const nbd = new FakeNbd([taken, FREE]);
    expect(await nbd.run(script, 'vm1')).toMatchObject({ code: 0, stdout: '/dev/nbd1\n' });
    expect(nbd.backend(0)).toBeUndefined();
  });

  test('and when none is, nothing is connected', async () => {
    const nbd = new FakeNbd([{ pid: 1 }, { size: 8 }]);
    const { code, stderr } = await nbd.run(script, 'vm1');
    expect(code).toBe(1);
    expect(stderr).toContain('no /dev/nbd device is free');
    expect(nbd.calls()).toEqual([]);
  });

  test('and without the module there is none at all', async () => {
    expect((await new FakeNbd([]).run(script, 'vm1')).stderr).toContain('modprobe nbd');
  });
});

describe('attach', () => {
  test('tells the kernel an identifier, and prints nothing but the device', async () => {
    const nbd = new FakeNbd([FREE]);
    expect(await nbd.run(script, 'vm1')).toMatchObject({ code: 0, stdout: '/dev/nbd0\n' });
    expect(nbd.backend(0)).toBe(TCP_VM1);
  });

  test('again is done: the same device, and no second connection', async () => {
    const nbd = new FakeNbd([{ pid: 3, size: 8 }, FREE, FREE]);
    await nbd.run(script, 'vm1');
    expect((await nbd.run(script, 'vm1')).stdout).toBe('/dev/nbd1\n');
    expect(nbd.calls()).toHaveLength(1);
    expect((await nbd.run(script, 'vm2')).stdout).toBe('/dev/nbd2\n');
  });

  test('goes by TCP, with all that is asked', async () => {
    const nbd = new FakeNbd([FREE]);
    const where = [
      '--host',
      '::1',
      '--port',
      '7',
      '--connections',
      '4',
      '--read-only',
      '--identifier',
      'a b',
    ];
    await nbd.run(script, ...where, 'x $HOME', '--', '-cacertfile', 'ca.pem');
    expect(nbd.calls()).toEqual([
      [
        '::1',
        '7',
        '/dev/nbd0',
        '-N',
        'x $HOME',
        '-connections',
        '4',
        '-readonly',
        '-identifier',
        'a b',
        '-cacertfile',
        'ca.pem',
      ],
    ]);
    expect(nbd.backend(0)).toBe('a b');
  });

  test('goes by a Unix socket', async () => {
    const nbd = new FakeNbd([FREE]);
    await nbd.run(script, '--unix', '/run/a b.sock', 'vm1');
    expect(nbd.calls()[0]?.slice(0, 4)).toEqual(['-unix', '/run/a b.sock', '/dev/nbd0', '-N']);
    expect(nbd.backend(0)).toBe('nbd+unix:///vm1?socket=/run/a b.sock');
  });

  test.each([
    ['3.24', '/dev/nbd0'],
    ['3.27.1', 'nbd0'],
    ['3.27.10', '/dev/nbd0'],
  ])(
    'names the slot as nbd-client %s wants it, and prints the device all the same',
    async (version, name) => {
      const nbd = new FakeNbd([FREE]);
      nbd.file('version', version);
      expect((await nbd.run(script, 'vm1')).stdout).toBe('/dev/nbd0\n');
      expect((await nbd.run(script, '--detach', 'vm1')).code).toBe(0);
      expect(nbd.calls().map((words) => words.find((word) => word.endsWith('nbd0')))).toEqual([name, name]);
    },
  );

  test('takes the next slot when somebody else was faster', async () => {
    const nbd = new FakeNbd([FREE, FREE]);
    nbd.file('steals');
    expect((await nbd.run(script, 'vm1')).stdout).toBe('/dev/nbd1\n');
  });

  test('D1 is refused when the kernel has another identifier afterwards, and that one is left alone', async () => {
    const nbd = new FakeNbd([FREE]);
    nbd.file('reconfigures');
    const { code, stdout, stderr } = await nbd.run(script, 'vm1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('its backend is "other"');
    expect(nbd.calls()).toHaveLength(1);
  });

  test('fails at the first slot when it is not for the slot', async () => {
    const nbd = new FakeNbd([FREE, FREE, FREE]);
    nbd.file('refuses');
    const { code, stdout, stderr } = await nbd.run(script, 'vm1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Connection refused');
    expect(nbd.calls()).toHaveLength(1);
  });

  test('D2 is refused with an nbd-client that knows no identifier, unless it may be unverified, and says that it is', async () => {
    const nbd = new FakeNbd([FREE]);
    nbd.file('old');
    const refused = await nbd.run(script, 'vm1');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('3.27 or newer');
    expect(nbd.calls()).toEqual([]);
    const { code, stdout, stderr } = await nbd.run(script, '--unverified', 'vm1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '/dev/nbd0\n' });
    expect(stderr).toContain('unverified');
    expect(nbd.calls()[0]).not.toContain('-identifier');
  });

  test('D3 is undone on a kernel that keeps no identifier', async () => {
    const nbd = new FakeNbd([FREE]);
    nbd.file('old-kernel');
    const { code, stdout, stderr } = await nbd.run(script, 'vm1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Linux 5.14');
    expect(nbd.calls().at(-1)).toEqual(['-d', '/dev/nbd0']);
  });
});

describe('detach', () => {
  const attached: Slot = { pid: 4, size: 2048, backend: TCP_VM1 };
  const other: Slot = { pid: 5, size: 2048, backend: 'other' };

  test('finds the device by its identifier, and only that', async () => {
    const nbd = new FakeNbd([other, attached]);
    expect(await nbd.run(script, '--detach', 'vm1')).toMatchObject({ code: 0, stdout: '' });
    expect(nbd.calls()).toEqual([['-d', '/dev/nbd1']]);
    expect(nbd.backend(0)).toBe('other');
  });

  test('of what is gone is done', async () => {
    const nbd = new FakeNbd([other, FREE]);
    expect((await nbd.run(script, '--detach', 'vm1')).code).toBe(0);
    expect(nbd.calls()).toEqual([]);
  });

  test.each([
    ['a mount', 'proc/mounts', '/dev/nbd0 /mnt ext4 rw 0 0'],
    ['a mount of a partition', 'proc/mounts', '/dev/nbd0p1 /mnt ext4 rw 0 0'],
    ['swap', 'proc/swaps', '/dev/nbd0 partition 1024 0 -2'],
  ])('Law 1 is refused under %s', async (_use, file, line) => {
    const nbd = new FakeNbd([attached]);
    nbd.file(file, line);
    const { code, stderr } = await nbd.run(script, '--detach', 'vm1');
    expect(code).toBe(1);
    expect(stderr).toContain('/dev/nbd0 is in use');
    expect(nbd.calls()).toEqual([]);
  });

  test('Law 1 is refused under another block device; a mount of /dev/nbd01 is none of /dev/nbd0', async () => {
    const held = new FakeNbd([{ ...attached, holder: 'dm-0' }]);
    expect((await held.run(script, '--detach', 'vm1')).code).toBe(1);
    const nbd = new FakeNbd([attached]);
    nbd.file('proc/mounts', '/dev/nbd01 /mnt ext4 rw 0 0');
    expect((await nbd.run(script, '--detach', 'vm1')).code).toBe(0);
  });

  test('of a device by its name is for those without an identifier', async () => {
    const nbd = new FakeNbd([{ pid: 9, size: 8 }, attached]);
    expect((await nbd.run(script, '--detach', '--unverified', '/dev/nbd1')).stderr).toContain(
      'detach it by that',
    );
    expect(nbd.calls()).toEqual([]);
    expect((await nbd.run(script, '--detach', '--unverified', '/dev/nbd0')).code).toBe(0);
    expect(nbd.calls()).toEqual([['-d', '/dev/nbd0']]);
  });
});

test.each<[string[], string]>([
  [[], 'which export?'],
  [['a', 'b'], 'one export at a time'],
  [['--port', '0', 'a'], '--port is a number'],
  [['--port', '70000', 'a'], '--port is a number'],
  [['--connections', '17', 'a'], '--connections is a number from 1 to 16'],
  [['--connections', '1;ls', 'a'], '--connections is a number'],
  [['--unix', 'relative', 'a'], 'absolute path'],
  [['--host', '-L', 'a'], 'is no host'],
  [['--force', 'a'], 'there is no option --force'],
  [['a', '--port'], '--port needs a value'],
  [['--identifier', 'a\nb', 'a'], 'control characters'],
  [['--identifier', 'i'.repeat(1025), 'a'], '1024 characters'],
  [['--identifier', 'i', '--unverified', 'a'], 'exclude each other'],
  [['--detach', '--unverified', '/dev/sda'], 'takes a device, /dev/nbdX'],
  [['--detach', '--unverified', 'nbd0/../sda'], 'takes a device, /dev/nbdX'],
])('wrong usage says what is wrong, and nothing is done (case %#)', async (args, says) => {
  const nbd = new FakeNbd([FREE]);
  const { code, stderr } = await nbd.run(script, ...args);
  expect(stderr).toContain(says);
  expect(code).toBe(64);
  expect(nbd.calls()).toEqual([]);
});
