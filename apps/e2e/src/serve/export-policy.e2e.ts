import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

/** The codes that the command line promises. */
const DONE = 0;
const FAILED = 1;
const NO = 2;
const USAGE = 64;

describe('the command line on who may use an export', () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  const add = (name: string, ...options: readonly string[]) =>
    holdfast.cli('export', 'add', name, '--device', 'disk.img', ...options);

  /** What `show` prints for people, by name. */
  async function shown(...args: readonly string[]): Promise<Record<string, string>> {
    const { code, stdout } = await holdfast.cli(...args);
    expect(code).toBe(DONE);
    const lines = stdout.trimEnd().split('\n');
    const facts = lines.map((line) => {
      const [, name = line, value = ''] = /^([^:]+): +(.*)$/.exec(line) ?? [];
      return [name, value] as const;
    });
    return Object.fromEntries(facts);
  }

  it('shows nothing of what was left to the defaults', async () => {
    await add('plain');
    const facts = await shown('export', 'show', 'plain');
    expect(Object.keys(facts)).toEqual(['name', 'device', 'mode', 'block size', 'tcp', 'unix']);
    expect(facts['block size']).toBe('minimum 1 B, preferred 4 KiB, payload at most 32 MiB');
  });

  it('takes every option of export add, and shows it', async () => {
    const policy = ['--hidden', '--tls-required', '--allow', 'uid:0', '--allow', '10.0.0.0/8'];
    const limits = ['--connections-max', '7', '--client-connections-max', '2'];
    const sizes = ['--block-size-min', '4096', '--block-size-preferred', '65536', '--payload-max', '1048576'];
    const { code } = await add('all', ...policy, ...limits, ...sizes, '--block-size-required');
    expect(code).toBe(DONE);
    expect(await shown('export', 'show', 'all')).toMatchObject({
      listed: 'no',
      tls: 'required',
      allowed: '10.0.0.0/8, uid:0',
      connections: 'at most 7',
      'connections of one client': 'at most 2',
      'block size': 'minimum 4 KiB, preferred 64 KiB, payload at most 1 MiB, to be asked for',
    });
    const { stdout } = await holdfast.cli('export', 'show', 'all', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      hidden: true,
      tlsRequired: true,
      allowedClients: ['10.0.0.0/8', 'uid:0'],
      connectionsMax: 7,
      clientConnectionsMax: 2,
      blockSize: { minimum: 4096, preferred: 65_536, payloadMaximum: 1_048_576, required: true },
    });
  });

  it.each([
    [['--allow', 'everybody'], FAILED, /"everybody", which is none of 192\.0\.2\.7/],
    [['--block-size-min', '3'], FAILED, /must be a power of two up to 65536/],
    [['--payload-max', '33554433'], FAILED, /must be at most 33554432/],
    [['--block-size-required'], FAILED, /needs a minimum or a payload_maximum/],
    [['--connections-max', '65536'], FAILED, /must be at most 65535/],
    [['--connections-max', '0'], USAGE, /whole number from 1/],
    [['--client-connections-max', '1.5'], USAGE, /whole number from 1/],
    [['--block-size-min', '4k'], USAGE, /whole number from 1/],
  ])('%j ends with %i, and says why', async (options, code, sentence) => {
    const finished = await add('wrong', ...options);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toMatch(sentence);
  });

  it('session show tells what was negotiated with a client', async () => {
    const client = await NbdSession.open(holdfast, 'disk.img');
    try {
      const session = await eventually('the session', async () => {
        const { stdout } = await holdfast.cli('session', 'list', '--json');
        const [found] = JSON.parse(stdout) as { name: string; engine: string }[];
        return found !== undefined && found.engine !== '' && found;
      });
      const name = session.name.replace('sessions/', '');
      expect(await shown('session', 'show', name)).toMatchObject({
        name,
        state: 'serving',
        client: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        export: 'disk.img',
        device: 'disk.img',
        mode: 'read-write',
        tls: 'no',
        replies: 'simple',
        contexts: 'none',
        'block size': 'minimum 1 B, payload at most 32 MiB',
        errors: '0',
      });
      const { stdout } = await holdfast.cli('session', 'show', name, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ name: session.name, replyMode: 'REPLY_MODE_SIMPLE' });
    } finally {
      client.hangUp();
    }
    expect((await holdfast.cli('session', 'show', 'absent')).code).toBe(NO);
  });
});
