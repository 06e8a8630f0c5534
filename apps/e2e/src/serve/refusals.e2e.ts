import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { freePort } from '../support/free-port.js';
import { makeImage, MIB } from '../support/image.js';
import { servicesOf, socketsIn } from '../support/leftovers.js';
import { NbdSession } from '../support/nbd-session.js';
import { runAsNobody, requireNobody } from '../support/nobody.js';
import { scratchFolder } from '../support/scratch-folder.js';
import type { Finished } from '../support/command.js';

let listener: Server | undefined;

afterEach(() => {
  listener?.close();
});

/** One sentence, exit code 1, and nothing of it is left. */
function expectRefusal({ code, stdout, stderr }: Finished, sentence: RegExp, state: string): void {
  expect(stderr).toMatch(/^holdfast: [^\n]+\n$/);
  expect(stderr).toMatch(sentence);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(servicesOf(state)).toEqual([]);
  expect(socketsIn(state)).toEqual([]);
}

async function serve(state: string, ...args: readonly string[]): Promise<Finished> {
  const listen = args.includes('--listen') ? [] : ['--listen', `127.0.0.1:${String(await freePort())}`];
  return runHoldfast(['serve', '--state', state, ...listen, ...args]);
}

function newState(): string {
  return path.join(scratchFolder(), 'state');
}

describe('serve refuses in one sentence, and starts nothing', () => {
  it('when the port is in use', async () => {
    const state = newState();
    listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const refused = await serve(state, '--listen', `127.0.0.1:${String(port)}`, makeImage(MIB));
    expectRefusal(refused, new RegExp(`127\\.0\\.0\\.1:${String(port)} is in use`), state);
  });

  it('when somebody listens on the Unix socket', async () => {
    const state = newState();
    const socket = path.join(scratchFolder(), 'nbd.sock');
    listener = createServer().listen(socket);
    await once(listener, 'listening');
    expectRefusal(await serve(state, '--socket', socket, makeImage(MIB)), /listens on .*nbd\.sock/, state);
    expect(socketsIn(path.dirname(socket))).toEqual(['nbd.sock']);
  });

  it('when an image is missing, though another is there', async () => {
    const state = newState();
    const image = makeImage(MIB);
    const absent = path.join(path.dirname(image), 'absent.img');
    expectRefusal(await serve(state, image, absent), /absent\.img does not exist/, state);
  });

  it('when an image is a folder', async () => {
    const state = newState();
    expectRefusal(await serve(state, scratchFolder()), /neither an image file nor a block device/, state);
  });

  it('when two images have the same file name', async () => {
    const state = newState();
    const refused = await serve(state, makeImage(MIB), makeImage(MIB));
    expectRefusal(refused, /both be exported as "disk\.img"; rename one/, state);
  });

  it('when two images are the same file under two names', async () => {
    const state = newState();
    const image = makeImage(MIB);
    const link = path.join(path.dirname(image), 'link.img');
    symlinkSync(image, link);
    expectRefusal(await serve(state, image, link), /are the same image; give it once/, state);
  });

  it('when an image is given twice', async () => {
    const state = newState();
    const image = makeImage(MIB);
    expectRefusal(await serve(state, image, image), /disk\.img is given twice; give it once/, state);
  });

  it('as JSON with a stable code, when JSON is asked for', async () => {
    const state = newState();
    const { code, stdout, stderr } = await serve(state, '--json', '/nowhere/disk.img');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'DEVICE_OPEN_FAILED', message: '/nowhere/disk.img does not exist' },
    });
  });

  it('when the address is no address', async () => {
    const state = newState();
    expectRefusal(await serve(state, '--listen', 'nowhere', makeImage(MIB)), /HOST:PORT.*or none/, state);
  });

  it('when the state folder has too long a path for the sockets in it', async () => {
    const state = path.join(scratchFolder(), 'x'.repeat(100));
    expectRefusal(await serve(state, makeImage(MIB)), /too long/, state);
  });

  it('when another serve uses the state folder, which goes on', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const services = holdfast.pids();

    const { code, stdout, stderr } = await serve(holdfast.state, makeImage(MIB));

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      new RegExp(`^holdfast: another holdfast serve \\(pid ${String(holdfast.pid)}\\)[^\n]+\n$`),
    );
    expect(holdfast.pids()).toEqual(services);
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
  });
});

describe.skipIf(requireNobody.missing)(`serve as another user ${requireNobody.note}`, () => {
  it.each([
    { mode: 0o600, sentence: /disk\.img cannot be read/ },
    { mode: 0o644, sentence: /disk\.img cannot be written; serve it with --read-only/ },
  ])('refuses an image of mode $mode that is not its own', async ({ mode, sentence }) => {
    const state = scratchFolder();
    chmodSync(state, 0o777);
    const image = makeImage(MIB);
    chmodSync(image, mode);
    const listen = `127.0.0.1:${String(await freePort())}`;
    expectRefusal(await runAsNobody(['serve', '--state', state, '--listen', listen, image]), sentence, state);
  });

  it('refuses a state folder that it cannot make', async () => {
    const folder = path.join(scratchFolder(), 'closed');
    mkdirSync(folder, { mode: 0o700 });
    const state = path.join(folder, 'state');
    const listen = `127.0.0.1:${String(await freePort())}`;
    const image = makeImage(MIB);
    chmodSync(image, 0o666);
    const { code, stderr } = await runAsNobody(['serve', '--state', state, '--listen', listen, image]);
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toMatch(/^holdfast: .*closed/);
  });
});
