import { beforeAll, describe, expect, it } from 'vitest';
import { start } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { holdfastProgram } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';

const ESHUTDOWN_OR_END = /108|end|closed|reset/i;

interface Change {
  readonly resumeToken: string;
  readonly from: string;
  readonly to: string;
  readonly lease: string;
  readonly actor: string;
  readonly reason: string;
}

describe.each(engines)('a device in use, $engine engine', ({ env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(8 * MIB, { fill: 'empty' })], env });
  });

  const detach = (...options: readonly string[]) => holdfast.cli('device', 'detach', 'disk.img', ...options);
  const attach = () => holdfast.cli('device', 'attach', 'disk.img');

  it('is explained: the client, its export, and when it last did something', async () => {
    const session = await NbdSession.open(holdfast, 'disk.img');
    await session.read(0, 512);
    const explained = await eventually('the request to be counted', async () => {
      const { stdout, code } = await holdfast.cli('device', 'explain', 'disk.img');
      expect(code).toBe(0);
      return /127\.0\.0\.1:\d+ +disk\.img +\d+ s +1 +\d+ s ago +live/.test(stdout) ? stdout : undefined;
    });
    expect(explained).toContain('SESSION');
    session.hangUp();
    await eventually('nothing to keep it', async () =>
      (await holdfast.cli('device', 'explain', 'disk.img')).stdout.startsWith('nothing keeps disk.img'),
    );
  });

  it('Law 1 stays attached when its client outlasts the deadline, and serves on', async () => {
    const session = await NbdSession.open(holdfast, 'disk.img');
    const refused = await detach('--deadline', '0.5');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/still in use after 0\.5 s.*device explain disk\.img.*DEVICE_IN_USE/s);
    expect((await session.write(0, Buffer.from('still here'))).error).toBe(0);
    const another = await NbdSession.open(holdfast, 'disk.img');
    expect((await another.read(0, 10)).data.toString()).toBe('still here');
    another.hangUp();
    session.hangUp();
  });

  it('Law 1 is detached within the deadline once its client has gone; nobody new gets in meanwhile', async () => {
    await eventually('earlier leases to end', async () => (await listLeases(holdfast)).length === 0);
    const session = await NbdSession.open(holdfast, 'disk.img');
    const detached = detach('--deadline', '60');
    await eventually('it to be draining', async () =>
      (await holdfast.cli('device', 'show', 'disk.img')).stdout.includes('draining'),
    );
    await expect(NbdSession.open(holdfast, 'disk.img')).rejects.toThrow();
    session.hangUp();
    expect(await detached).toMatchObject({ code: 0, stdout: expect.stringContaining('released') as string });
    expect((await attach()).code).toBe(0);
  });

  it('Law 2 is detached by force: the client is cut off, what it was answered is there, and it says whom it cut', async () => {
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect((await session.write(4096, Buffer.from('answered'))).error).toBe(0);
    const [lease] = await listLeases(holdfast);
    const forced = await detach('--force');
    expect(forced.code).toBe(0);
    expect(forced.stderr).toContain(`cut off 1: ${String(lease?.session).replace('sessions/', '')}`);
    const after: unknown = await session.read(0, 512).then(
      ({ error }) => error,
      (error: unknown) => error,
    );
    expect(String(after)).toMatch(ESHUTDOWN_OR_END);
    expect((await attach()).code).toBe(0);
    const again = await NbdSession.open(holdfast, 'disk.img');
    expect((await again.read(4096, 8)).data.toString()).toBe('answered');
    again.hangUp();
  });

  it('tells each change with who and why, and goes on after a token', async () => {
    const { stdout } = await holdfast.cli('device', 'show', 'disk.img', '--json');
    expect(stdout).toContain('STATE_CONNECTED');
    const changes = await recorded('0', ({ to }) => to === 'FENCED');
    expect(changes.slice(0, 3).map(({ from, to }) => `${from}>${to}`)).toEqual([
      '>REGISTERED',
      '>ATTACHING',
      'ATTACHING>CONNECTED',
    ]);
    expect(changes).toContainEqual(
      expect.objectContaining({ from: 'GRANTED', to: 'FENCED', reason: 'a forced detach was asked for' }),
    );
    const middle = changes[5]?.resumeToken ?? '';
    expect((await recorded(middle, () => true))[0]).toEqual(changes[6]);
  });

  /** What `device watch` prints, until the change that is waited for is among it. */
  async function recorded(since: string, awaited: (change: Change) => boolean): Promise<Change[]> {
    const args = ['device', 'watch', 'disk.img', '--since', since, '--json', '--state', holdfast.state];
    const watching = start(process.execPath, [holdfastProgram, ...args]);
    const changes = await eventually('the changes', () => {
      const complete = watching.output().stdout.split('\n').slice(0, -1);
      const printed = complete.map((line) => JSON.parse(line) as Change);
      return printed.some(awaited) ? printed : undefined;
    });
    watching.child.kill();
    return changes;
  }
});
