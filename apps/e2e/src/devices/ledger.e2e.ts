import { encodeRequest, REQUEST_BYTES, RequestHeader, Command } from '@holdfast/nbd-protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { start } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { holdfastProgram } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

interface Totals {
  readonly acquired?: string;
  readonly released?: string;
  readonly acquiredBytes?: string;
  readonly releasedBytes?: string;
  readonly outstanding?: string;
}

interface Shown {
  readonly ledger: { readonly variants: readonly Totals[]; readonly violations?: readonly unknown[] };
  readonly pins: readonly {
    readonly session: string;
    readonly acquireSite: string;
    readonly bytes: string;
  }[];
}

const READ_BYTES = 16 * 1024;
/** More than sockets and buffers on the way take. */
const READS = 2000;

/** Asks for far more than it takes. */
function askAndTakeNothing({ stream }: NbdSession): void {
  stream.socket.pause();
  const requests = Buffer.alloc(READS * REQUEST_BYTES);
  const view = new DataView(requests.buffer, requests.byteOffset, requests.length);
  for (let index = 0; index < READS; index++) {
    const header = Object.assign(new RequestHeader(), {
      type: Command.READ,
      offset: 0,
      length: READ_BYTES,
      cookieLow: index,
    });
    encodeRequest(view, index * REQUEST_BYTES, header);
  }
  stream.write(requests);
}

describe.each(engines)('the pin ledger, $engine engine', ({ engine, env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(8 * MIB, { fill: 'empty' })], env });
  });

  const shown = async (...options: readonly string[]) => {
    const { stdout, code } = await holdfast.cli('ledger', 'show', '--json', ...options);
    expect(code).toBe(0);
    return JSON.parse(stdout) as Shown;
  };
  const atRest = () =>
    eventually('nothing to be pinned', async () => {
      const { ledger, pins } = await shown();
      return pins.length === 0 ? ledger : undefined;
    });

  it('E10 balances at rest, after reads, writes and a client that left in the middle', async () => {
    const session = await NbdSession.open(holdfast, 'disk.img', 'unix');
    for (let block = 0; block < 20; block++) {
      expect((await session.write(block * 4096, Buffer.alloc(4096, block))).error).toBe(0);
      expect((await session.read(block * 4096, 4096)).error).toBe(0);
    }
    expect((await session.read(0, MIB)).error).toBe(0);
    const leaving = await NbdSession.open(holdfast, 'disk.img');
    askAndTakeNothing(leaving);
    leaving.hangUp();
    const { variants, violations } = await atRest();
    expect(violations ?? []).toEqual([]);
    expect(variants).toHaveLength(3);
    for (const { acquired, released, acquiredBytes, releasedBytes } of variants) {
      expect([released, releasedBytes]).toEqual([acquired, acquiredBytes]);
    }
    expect(Number(variants[0]?.acquired)).toBeGreaterThanOrEqual(40);
    session.hangUp();
  });

  it('Law 1 what is pinned is shown with its session, keeps the device, and goes with its client', async () => {
    await atRest();
    const session = await NbdSession.open(holdfast, 'disk.img');
    askAndTakeNothing(session);
    const { pins } = await eventually('something to be pinned', async () => {
      const found = await shown('--device', 'disk.img');
      return found.pins.length > 0 ? found : undefined;
    });
    // A thread lends what the page cache has; the event loop reads it.
    const [variant, buffer, site] =
      engine === 'thread' ? ['referenced', 'page-cache', 'lend'] : ['pinned', 'output', 'read'];
    expect(pins.map(({ acquireSite }) => acquireSite)).toContain(`${engine}.${site}`);
    const name = pins[0]?.session.replace('sessions/', '') ?? '';
    expect((await shown('--session', name)).pins.length).toBeGreaterThan(0);
    expect((await holdfast.cli('ledger', 'show')).stdout).toMatch(
      new RegExp(`${name} +disk\\.img +${variant} +${buffer} +${engine}\\.${site} +\\d+ .* in flight`),
    );
    expect((await holdfast.cli('device', 'explain', 'disk.img')).stdout).toMatch(
      /live +\d+ \([\d.]+ [KM]iB, \d+ s\)/,
    );
    expect(await holdfast.cli('device', 'detach', 'disk.img')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DEVICE_IN_USE') as string,
    });
    session.hangUp();
    await atRest();
  });

  it('is watched line by line', async () => {
    const watching = start(process.execPath, [
      holdfastProgram,
      'ledger',
      'watch',
      '--interval',
      '0.1',
      '--state',
      holdfast.state,
    ]);
    await eventually('three lines', () => watching.output().stdout.split('\n').length > 3);
    expect(watching.output().stdout).toMatch(
      /^\S+Z {2}pinned \d+ .* transferred 0 \(0 B\) {2}violations: none\n/,
    );
    watching.child.kill('SIGINT');
  });
});
