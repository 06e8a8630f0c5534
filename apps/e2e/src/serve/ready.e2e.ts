import { statSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { scratchFolder } from '../support/scratch-folder.js';

describe('a serve that is ready', () => {
  it('says so with one line an export on stdout, and what to try next on stderr', async () => {
    const folder = scratchFolder();
    const images = [makeImage(MIB, { folder }), makeImage(MIB, { folder, name: 'zweites bild.img' })];
    await using holdfast = await startHoldfast({ images });
    const tcp = `nbd://127.0.0.1:${String(holdfast.port)}`;
    const socket = holdfast.layout.nbdSocket;

    expect(await holdfast.stop()).toBe(0);

    expect(holdfast.stdout()).toBe(
      `ready ${tcp}/disk.img nbd+unix:///disk.img?socket=${socket}\n` +
        `ready ${tcp}/zweites%20bild.img nbd+unix:///zweites%20bild.img?socket=${socket}\n`,
    );
    expect(holdfast.stderr()).toContain(`nbdinfo ${tcp}/disk.img`);
    expect(holdfast.stderr()).toContain(`npx holdfast status --state ${holdfast.state}\n`);
  });

  it('says so with JSON lines when asked to, and listens on the socket that it was given', async () => {
    const socket = path.join(scratchFolder(), 'my socket.sock');
    const args = ['--json', '--socket', socket];
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], args });
    expect(statSync(socket).isSocket()).toBe(true);
    // Law 8: for this user alone.
    expect(statSync(socket).mode & 0o777).toBe(0o600);

    expect(await holdfast.stop()).toBe(0);

    expect(jsonLines(holdfast.stdout())).toEqual([
      {
        event: 'ready',
        export: 'disk.img',
        device: 'disk.img',
        readOnly: false,
        uris: [
          `nbd://127.0.0.1:${String(holdfast.port)}/disk.img`,
          `nbd+unix:///disk.img?socket=${encodeURI(socket)}`,
        ],
      },
    ]);
    expect(jsonLines(holdfast.stderr())).toEqual([{ event: 'note', message: 'stopping' }]);
  });
});

describe('a serve without images', () => {
  it('makes a sparse demo image of 1 GiB, keeps it, and is ready again soon', async () => {
    const state = path.join(scratchFolder(), 'state');
    await using first = await startHoldfast({ state });
    expect(first.exports()).toEqual(['demo.img']);
    const { size, blocks } = statSync(first.layout.demoImage);
    expect(size).toBe(1024 * MIB);
    expect(blocks).toBe(0);
    const writer = await NbdSession.open(first, 'demo.img');
    expect(await writer.write(512 * MIB, Buffer.from('kept'))).toMatchObject({ error: 0 });
    writer.hangUp();
    expect(await first.stop()).toBe(0);

    const begun = performance.now();
    await using second = await startHoldfast({ state });
    // Reported, not asserted: a busy machine is no bug.
    // eslint-disable-next-line no-console
    console.info(
      `the second start was ready after ${(performance.now() - begun).toFixed(0)} ms (goal: 3000)`,
    );
    const reader = await NbdSession.open(second, 'demo.img');
    expect((await reader.read(512 * MIB, 4)).data.toString()).toBe('kept');
  });
});

function jsonLines(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
