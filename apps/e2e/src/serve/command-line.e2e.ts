import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { serviceNames, startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
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
    expect((JSON.parse(stdout) as ListedService[]).map((one) => one.state)).toEqual(['down', 'down', 'down']);
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
