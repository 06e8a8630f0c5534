import { expect, test } from 'vitest';
import { serveMemory } from '../testing/memory-export.js';
import { scriptedServer } from '../testing/scripted-server.js';
import { greeting, optionReply } from '../testing/wire.js';
import { parseNbdUri } from '../uri/nbd-uri.js';
import { connectUpstream } from './connect-upstream.js';

const served = { mode: 'structured', sizeBytes: 4096, image: Buffer.alloc(4096) } as const;
const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test('connects with base:allocation where the server has it', async () => {
  const contexts = { 'base:allocation': 9, 'other:context': 10 };
  const server = await scriptedServer((peer) => serveMemory(peer, { ...served, contexts }));
  const connection = await connectUpstream(parseNbdUri(server.uri));
  expect(connection.metaContexts.map(({ name }) => name)).toEqual(['base:allocation']);
  connection.destroy();
});

test('T19 a server that is slow at each step is given up after the time for all of them', async () => {
  const server = await scriptedServer(async (peer) => {
    await delay(60);
    peer.write(greeting());
    await peer.read(4);
    for (;;) {
      const { option } = await peer.readOption();
      await delay(60);
      // Each answer is in time, and there is another question after it.
      peer.write(optionReply(option, 0x8000_0001));
    }
  });
  const begun = performance.now();
  await expect(connectUpstream(parseNbdUri(server.uri), undefined, 100)).rejects.toMatchObject({
    code: 'NBD_SERVER_UNREACHABLE',
  });
  expect(performance.now() - begun).toBeLessThan(1_000);
});

test('one that is not wanted any more fails at once, and leaves no connection', async () => {
  let hasLeft = false;
  const server = await scriptedServer(async (peer) => {
    await delay(100);
    await serveMemory(peer, served).finally(() => (hasLeft = true));
  });
  const giveUp = new AbortController();
  const attempt = connectUpstream(parseNbdUri(server.uri), giveUp.signal);
  giveUp.abort();
  await expect(attempt).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
  await expect.poll(() => hasLeft).toBe(true);
  await expect(connectUpstream(parseNbdUri(server.uri), giveUp.signal)).rejects.toThrow(
    'not wanted any more',
  );
});
