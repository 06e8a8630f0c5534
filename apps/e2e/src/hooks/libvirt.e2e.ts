import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { hookEnvironment, hooks } from './hook-config.js';

const script = path.join(hooks, 'libvirt/qemu');

/** Runs the hook as libvirt does, with the domain on standard input. */
async function qemuHook(args: readonly string[], xml: string, env: NodeJS.ProcessEnv) {
  const child = spawn(script, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  // A hook that ends early must not fail whoever writes to it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(xml);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await closed) as [number | null];
  return { code, stdout, stderr };
}

describe('the qemu hook of libvirt', () => {
  let holdfast: Holdfast;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    for (const name of ['root', 'data', 'meta']) {
      await holdfast.cli('device', 'add', name, '--path', makeImage(MIB));
      await holdfast.cli('export', 'add', name, '--device', name);
    }
    await holdfast.cli('device', 'add', 'broken', '--path', '/nowhere/disk.img');
  }, 120_000);

  beforeEach(() => {
    env = hookEnvironment(holdfast.state);
  });

  afterEach(async () => {
    for (const name of await attached()) await holdfast.cli('device', 'detach', name);
  });

  const disk = (name: string, socket = holdfast.layout.nbdSocket) =>
    `<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='${name}'><host transport='unix' socket='${socket}'/></source><target dev='vda' bus='virtio'/></disk>`;
  const domain = (disks: readonly string[], devices: readonly string[] = []) =>
    `<domain type='kvm'><name>g</name><metadata><h:devices xmlns:h='urn:holdfast:libvirt:1'>${devices
      .map((name) => `<h:device name='${name}'/>`)
      .join('')}</h:devices></metadata><devices>${disks.join('')}</devices></domain>`;
  const prepare = (guest: string, xml: string) => qemuHook([guest, 'prepare', 'begin', '-'], xml, env);
  const release = (guest: string, xml: string) => qemuHook([guest, 'release', 'end', 'shutdown'], xml, env);

  async function attached(): Promise<string[]> {
    const { stdout } = await holdfast.cli('device', 'list', '--json');
    const devices = JSON.parse(stdout) as { name: string; attachment?: { state: string } }[];
    return devices
      .filter(({ attachment }) => attachment?.state === 'STATE_CONNECTED')
      .map(({ name }) => name.replace('devices/', ''))
      .filter((name) => name !== 'disk.img');
  }

  it('attaches what the domain names, by its disks and by its metadata, and detaches it when the guest is gone', async () => {
    const xml = domain([disk('root'), disk('data')], ['meta']);
    expect(await prepare('g1', xml)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await attached()).toEqual(['data', 'meta', 'root']);
    expect((await release('g1', xml)).code).toBe(0);
    expect(await attached()).toEqual([]);
    expect((await release('g1', xml)).code).toBe(0);
  });

  it('leaves alone the disks of other servers, and what the guest did not want', async () => {
    await holdfast.cli('device', 'attach', 'data');
    const xml = domain([disk('nothing-here', '/run/other.sock'), disk('root')]);
    expect((await prepare('g1', xml)).code).toBe(0);
    expect((await release('g1', xml)).code).toBe(0);
    expect(await attached()).toEqual(['data']);
  });

  it('detaches what prepare attached, whatever the domain says at the end', async () => {
    await prepare('g1', domain([disk('root')]));
    expect((await release('g1', ' '.repeat(5 * MIB))).code).toBe(0);
    expect(await attached()).toEqual([]);
  });

  it('keeps what another guest wants until that one is gone, too', async () => {
    const xml = domain([disk('root')]);
    await prepare('g1', xml);
    await prepare('g2', xml);
    await release('g1', xml);
    expect(await attached()).toEqual(['root']);
    await release('g2', xml);
    expect(await attached()).toEqual([]);
  });

  it('Law 1 keeps what another NBD client uses, says so, and does not fail', async () => {
    const xml = domain([disk('root')]);
    await prepare('g1', xml);
    const session = await NbdSession.open(holdfast, 'root');
    const ended = await release('g1', xml);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('stays attached');
    expect(await attached()).toEqual(['root']);
    session.hangUp();
    await eventually('the detach', async () => (await holdfast.cli('device', 'detach', 'root')).code === 0);
  });

  it('detaches although the connection of the guest ends only a moment later', async () => {
    const xml = domain([disk('root')]);
    await prepare('g1', xml);
    const session = await NbdSession.open(holdfast, 'root');
    const ending = release('g1', xml);
    setTimeout(() => {
      session.hangUp();
    }, 300);
    expect(await ending).toMatchObject({ code: 0, stderr: '' });
    expect(await attached()).toEqual([]);
  });

  it.each([
    { what: 'an export that is not there', make: () => domain([disk('root'), disk('gone')]), says: 'gone' },
    { what: 'a disk without a name', make: () => domain([disk('')]), says: 'names no export' },
    {
      what: 'a device that cannot be attached',
      make: () => domain([disk('root')], ['broken']),
      says: '/nowhere',
    },
    {
      what: 'XML with entities',
      make: () => `<!DOCTYPE x [<!ENTITY a "b">]>${domain([])}`,
      says: 'document type',
    },
    { what: 'too much XML', make: () => ' '.repeat(5 * MIB), says: '4194304 bytes' },
  ])('prevents the start for $what, says why, and leaves nothing attached', async ({ make, says }) => {
    const { code, stdout, stderr } = await prepare('g1', make());
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(says);
    expect(await attached()).toEqual([]);
  });

  it('prevents the start when holdfast does not run', async () => {
    env = hookEnvironment('/nonexistent');
    const { code, stderr } = await prepare('g1', domain([], ['root']));
    expect(code).not.toBe(0);
    expect(stderr).toContain('holdfast');
  });

  it('takes a guest whose name looks like an option', async () => {
    expect((await prepare('--json', domain([disk('root')]))).code).toBe(0);
    expect(await attached()).toEqual(['root']);
    expect((await release('--json', '')).code).toBe(0);
    expect(await attached()).toEqual([]);
  });
});
