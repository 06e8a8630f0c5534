import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { serviceNames, startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { scratchFolder } from '../support/scratch-folder.js';

interface ListedService {
  readonly service: string;
  readonly pid: number | null;
  readonly state: string;
  readonly endpoints: readonly string[];
}

/** The codes that the command line promises. */
const DONE = 0;
const FAILED = 1;
const NO = 2;
const USAGE = 64;

describe('the command line of a running instance', () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  it('status names every service with its process id, its state and its endpoints', async () => {
    const { code, stdout } = await holdfast.cli('status', '--json');
    expect(code).toBe(DONE);
    const listed = JSON.parse(stdout) as ListedService[];
    expect(listed.map(({ service }) => service).sort()).toEqual([...serviceNames].sort());
    for (const { service, pid, state } of listed) {
      expect(state).toBe('serving');
      expect(new Map<string, number>(holdfast.pids()).get(service)).toBe(pid);
    }
    const gateway = listed.find(({ service }) => service === 'nbd-gateway');
    expect(gateway?.endpoints).toEqual([
      `unix:${holdfast.layout.gatewaySocket}`,
      `127.0.0.1:${String(holdfast.port)}`,
      `unix:${holdfast.layout.nbdSocket}`,
    ]);
  });

  it('status says no when a service hangs', async () => {
    const pid = holdfast.kill('io-worker', 'SIGSTOP');
    try {
      const { code, stdout } = await holdfast.cli('status', '--json');
      expect(code).toBe(NO);
      const worker = (JSON.parse(stdout) as ListedService[]).find(({ service }) => service === 'io-worker');
      expect(worker).toMatchObject({ pid: null, state: 'down' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it.each([
    { args: ['device', 'show', 'disk.img'], code: DONE },
    { args: ['device', 'show', 'absent'], code: NO },
    { args: ['export', 'show', 'absent'], code: NO },
    { args: ['device', 'remove', 'absent'], code: DONE },
    { args: ['export', 'remove', 'absent'], code: DONE },
    { args: ['device', 'attach', 'disk.img'], code: DONE },
    { args: ['device', 'add', 'other', '--path', '/nowhere/disk.img'], code: DONE },
    { args: ['device', 'attach', 'other'], code: FAILED },
    { args: ['device', 'add', 'other', '--path', '/elsewhere/disk.img'], code: FAILED },
    { args: ['device', 'add', 'bad/name', '--path', '/nowhere/disk.img'], code: FAILED },
    { args: ['device', 'add', 'other'], code: USAGE },
    { args: ['device', 'add', 'other', '--path', '/x', '--kind', 'tape'], code: USAGE },
    { args: ['export', 'add', 'other'], code: USAGE },
    { args: ['session', 'list', '--bogus'], code: USAGE },
  ])('$args ends with $code', async ({ args, code }) => {
    const finished = await holdfast.cli(...args);
    expect(finished.code).toBe(code);
    if (code === DONE) expect(finished.stderr).toBe('');
    else expect(finished.stderr).toMatch(code === USAGE ? /^error: / : /^holdfast: [^\n]+\n$/);
  });

  it('device detach of what is not registered is done, and says that there is no such device', async () => {
    const finished = await holdfast.cli('device', 'detach', 'absent');
    expect(finished).toMatchObject({ code: DONE, stdout: '' });
    expect(finished.stderr).toBe('holdfast: there is no device "absent", so nothing was detached\n');

    const json = await holdfast.cli('device', 'detach', 'absent', '--json');
    expect(json).toMatchObject({ code: DONE, stdout: 'null\n' });
    expect(JSON.parse(json.stderr)).toMatchObject({ event: 'note' });
  });

  it('device show of a device that could not be opened knows no size', async () => {
    await holdfast.cli('device', 'add', 'broken', '--path', '/nowhere/disk.img');
    await holdfast.cli('device', 'attach', 'broken');
    const { stdout } = await holdfast.cli('device', 'show', 'broken');
    expect(stdout).toMatch(/^state: +failed$/m);
    expect(stdout).toMatch(/^size: +-$/m);
  });

  it.each([
    { args: ['device', 'show', 'absent'], code: NO, reason: 'DEVICE_NOT_FOUND' },
    { args: ['export', 'show', 'absent'], code: NO, reason: 'EXPORT_NOT_FOUND' },
    { args: ['device', 'add', 'bad/name', '--path', '/x'], code: FAILED, reason: 'INVALID_ARGUMENT' },
    { args: ['device', 'list', '--endpoint', 'tape=/x'], code: FAILED, reason: 'INVALID_SETTING' },
    { args: ['device', 'add', 'other'], code: USAGE, reason: 'INVALID_ARGUMENT' },
    { args: ['session', 'list', '--bogus'], code: USAGE, reason: 'INVALID_ARGUMENT' },
  ])('$args fails with its stable code, in text and in JSON', async ({ args, code, reason }) => {
    const json = await holdfast.cli(...args, '--json');
    expect(json).toMatchObject({ code, stdout: '' });
    expect(json.stderr).toMatch(/^[^\n]+\n$/);
    const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe(reason);

    const text = await holdfast.cli(...args);
    expect(text.code).toBe(code);
    expect(text.stderr).toContain(error.message);
    if (code !== USAGE) expect(text.stderr).toBe(`holdfast: ${error.message} (${reason})\n`);
  });

  it('JSON has every field, false and empty ones too, and 64-bit numbers as strings', async () => {
    const json = async (...args: string[]) =>
      JSON.parse((await holdfast.cli(...args, '--json')).stdout) as unknown;
    expect(await json('device', 'show', 'disk.img')).toMatchObject({
      readOnly: false,
      transient: true,
      attachment: { epoch: '1', sizeBytes: String(MIB), errorReason: '', errorMessage: '' },
    });
    expect(await json('export', 'show', 'disk.img')).toMatchObject({
      readOnly: false,
      effectiveReadOnly: false,
      description: '',
    });
    const session = await NbdSession.open(holdfast, 'disk.img');
    await session.read(0, 512);
    expect(await json('session', 'list')).toMatchObject([
      { bytesWritten: '0', errors: '0', readOnly: false },
    ]);
    session.hangUp();
  });

  it.each(['device', 'export', 'session', 'lease'])('%s list prints a table, or JSON', async (what) => {
    expect((await holdfast.cli(what, 'list')).stdout).toMatch(/^[A-Z]+( +[A-Z]+)+\n/);
    expect(Array.isArray(JSON.parse((await holdfast.cli(what, 'list', '--json')).stdout))).toBe(true);
  });
});

describe('the command line without an instance', () => {
  const state = ['--state', path.join(scratchFolder(), 'state')];

  it('status says no', async () => {
    const { code, stdout } = await runHoldfast(['status', '--json', ...state]);
    expect(code).toBe(NO);
    expect((JSON.parse(stdout) as ListedService[]).map((one) => one.state)).toEqual(
      serviceNames.map(() => 'down'),
    );
  });

  it.each(['device', 'export', 'session', 'lease'])('%s list fails and says what to check', async (what) => {
    const { code, stderr } = await runHoldfast([what, 'list', ...state]);
    expect(code).toBe(FAILED);
    expect(stderr).toContain('Check that holdfast runs');
  });

  it.each([
    { args: ['--version'], code: DONE },
    { args: ['--help'], code: DONE },
    { args: ['serve', '--help'], code: DONE },
    { args: ['bogus'], code: USAGE },
    { args: ['serve', '--bogus'], code: USAGE },
    { args: ['device', 'bogus'], code: USAGE },
  ])('$args ends with $code', async ({ args, code }) => {
    expect((await runHoldfast(args)).code).toBe(code);
  });
});
