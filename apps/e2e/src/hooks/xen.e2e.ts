import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run, type Finished } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { isRoot, requirement } from '../support/requirements.js';
import { hookEnvironment, hooks } from './hook-config.js';
import { Xenstore } from './xenstore.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });
const script = path.join(hooks, 'xen/block-holdfast');

describe.skipIf(needs.missing)(`the Xen block script ${needs.note}`, () => {
  let holdfast: Holdfast;
  let image: string;
  let store: Xenstore;

  beforeAll(async () => {
    image = makeImage(4 * MIB, { name: 'xen.img' });
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    await holdfast.cli('device', 'add', 'vm1', '--kind', 'loop', '--path', image);
    await holdfast.cli('export', 'add', 'vm1', '--device', 'vm1');
  });

  beforeEach(() => {
    store = new Xenstore();
  });

  afterEach(async () => {
    await eventually('the detach', async () => (await holdfast.cli('device', 'detach', 'vm1')).code === 0);
  });

  function block(command: string, disk: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    return run(script, [command], {
      env: {
        ...hookEnvironment(holdfast.state),
        PATH: `${store.programs}:${process.env['PATH'] ?? ''}`,
        XENSTORE_ROOT: store.root,
        XENBUS_PATH: disk,
        XENBUS_BASE_PATH: 'backend',
        XENBUS_TYPE: 'vbd',
        ...env,
      },
    });
  }

  /** The loop device over the image, as the kernel tells. */
  function bound(): string | undefined {
    const list = execFileSync('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'], {
      encoding: 'utf8',
    });
    return list
      .split('\n')
      .find((line) => line.includes(image))
      ?.split(' ')[0];
  }

  it('D1 D4 add publishes numbers and diskseq, in hexadecimal and in one transaction, before it says connected', async () => {
    const disk = store.disk(3, { target: 'vm1' });
    expect(await block('add', disk)).toMatchObject({ code: 0, stderr: '' });
    const node = bound() ?? '';
    const sysfs = (name: string) => readFileSync(`/sys/block/${path.basename(node)}/${name}`, 'utf8').trim();
    const hex = (decimal: string) => BigInt(decimal).toString(16);
    expect(store.read(`${disk}/physical-device`)).toBe(sysfs('dev').split(':').map(hex).join(':'));
    expect(store.read(`${disk}/physical-device-path`)).toBe(node);
    expect(store.read(`${disk}/diskseq`)).toBe(hex(sysfs('diskseq')));
    expect(store.read(`${disk}/hotplug-status`)).toBe('connected');
    expect(store.read(`${disk}/params`)).toBe('vm1');
    expect(store.transactions()).toEqual([
      ['holdfast-device'],
      ['physical-device', 'physical-device-path', 'diskseq'],
      ['hotplug-status'],
    ]);
  });

  it('D10 D11 the script is gone and the device is held: it opens again and again as the same', async () => {
    const disk = store.disk(3, { target: 'vm1' });
    await block('add', disk);
    const node = bound() ?? '';
    const published = store.read(`${disk}/diskseq`) ?? '';
    for (let times = 0; times < 20; times += 1) {
      execFileSync('dd', [`if=${node}`, 'of=/dev/null', 'bs=4096', 'count=1', 'status=none']);
    }
    expect(bound()).toBe(node);
    expect(BigInt(readFileSync(`/sys/block/${path.basename(node)}/diskseq`, 'utf8'))).toBe(
      BigInt(`0x${published}`),
    );
  });

  it('D14 remove detaches and leaves nothing; removing and adding again are done', async () => {
    const disk = store.disk(3, { target: 'vm1' });
    await block('add', disk);
    expect((await block('add', disk)).code).toBe(0);
    expect(store.transactions().filter((keys) => keys.includes('diskseq'))).toHaveLength(1);
    expect((await block('remove', disk)).code).toBe(0);
    await eventually('the loop device to go', () => bound() === undefined);
    expect(store.read(`${disk}/physical-device`)).toBeUndefined();
    expect(store.read(`${disk}/diskseq`)).toBeUndefined();
    expect((await block('remove', disk)).code).toBe(0);
    expect((await block('add', disk)).code).toBe(0);
    expect(bound()).toBeDefined();
  });

  it('remove of what was never added does nothing', async () => {
    await holdfast.cli('device', 'attach', 'vm1');
    expect((await block('remove', store.disk(3, { target: 'vm1' }))).code).toBe(0);
    expect(bound()).toBeDefined();
  });

  it('Law 1 remove keeps a device that an NBD client uses, and says so', async () => {
    const disk = store.disk(3, { target: 'vm1', mode: 'r' });
    await block('add', disk);
    const session = await NbdSession.open(holdfast, 'vm1');
    const removed = await block('remove', disk);
    expect(removed.code).toBe(0);
    expect(removed.stderr).toContain('stays attached');
    expect(bound()).toBeDefined();
    session.hangUp();
  });

  it.each([
    { mine: 'w', theirs: 'r' },
    { mine: 'r', theirs: 'w' },
    { mine: 'w', theirs: 'w' },
  ])(
    'two guests: $mine beside $theirs is refused as busy, and the first keeps it',
    async ({ mine, theirs }) => {
      expect((await block('add', store.disk(3, { target: 'vm1', mode: theirs }))).code).toBe(0);
      const disk = store.disk(4, { target: 'vm1', mode: mine });
      const second = await block('add', disk);
      expect(second.code).toBe(1);
      expect(store.read(`${disk}/hotplug-status`)).toBe('busy');
      expect(store.read(`${disk}/hotplug-error`)).toContain('in use by domain 3');
      expect(store.read(`${disk}/physical-device`)).toBeUndefined();
      expect(bound()).toBeDefined();
    },
  );

  it('two guests that read share it, and the last to go detaches it', async () => {
    const [one, two] = [
      store.disk(3, { target: 'vm1', mode: 'r' }),
      store.disk(4, { target: 'vm1', mode: 'r' }),
    ];
    expect((await block('add', one)).code).toBe(0);
    expect((await block('add', two)).code).toBe(0);
    expect((await block('remove', one)).stderr).toContain('stays attached, for domain 4');
    expect(bound()).toBeDefined();
    expect((await block('remove', two)).code).toBe(0);
    await eventually('the loop device to go', () => bound() === undefined);
  });

  it('two guests with ! in the mode share it for writing', async () => {
    expect((await block('add', store.disk(3, { target: 'vm1', mode: 'w!' }))).code).toBe(0);
    expect((await block('add', store.disk(4, { target: 'vm1', mode: 'w!' }))).code).toBe(0);
  });

  it.each([
    { what: 'a device that nobody registered', target: 'misspelt', says: 'misspelt' },
    { what: 'a regular file, which has no node', target: 'disk.img', says: '--kind loop' },
    { what: 'no name', target: '', says: 'target=NAME' },
    { what: 'a name that looks like an option', target: '--force', says: 'No device' },
  ])('$what ends with a sentence in hotplug-error', async ({ target, says }) => {
    const disk = store.disk(3, { target });
    const { code, stderr } = await block('add', disk);
    expect(code).toBe(1);
    expect(store.read(`${disk}/hotplug-status`)).toBe('error');
    expect(store.read(`${disk}/hotplug-error`)?.toLowerCase()).toContain(says.toLowerCase());
    expect(stderr.toLowerCase()).toContain(says.toLowerCase());
    expect(store.read(`${disk}/physical-device`)).toBeUndefined();
    expect(store.read(`${disk}/holdfast-device`)).toBeUndefined();
  });

  it('a device that is read-only is not given to a guest that writes, and does not stay attached', async () => {
    await holdfast.cli('device', 'add', 'ro', '--kind', 'loop', '--path', makeImage(MIB), '--read-only');
    const disk = store.disk(3, { target: 'ro' });
    expect((await block('add', disk)).code).toBe(1);
    expect(store.read(`${disk}/hotplug-error`)).toContain('read-only');
    const { stdout } = await holdfast.cli('device', 'show', 'ro', '--json');
    expect(stdout).toContain('STATE_RELEASED');
    expect((await block('add', store.disk(5, { target: 'ro', mode: 'r' }))).code).toBe(0);
    await holdfast.cli('device', 'detach', 'ro');
  });

  it('D7 an add that cannot publish leaves nothing attached', async () => {
    const disk = store.disk(3, { target: 'vm1' });
    const { code } = await block('add', disk, { XENSTORE_REFUSES: '/physical-device' });
    expect(code).toBe(1);
    expect(store.read(`${disk}/hotplug-status`)).toBe('error');
    expect(bound()).toBeUndefined();
  });

  it('another command, or no XENBUS_PATH, is wrong usage', async () => {
    expect((await block('eject', store.disk(3, { target: 'vm1' }))).code).toBe(64);
    expect((await block('add', '')).stderr).toContain('XENBUS_PATH is not set');
  });
});
