import { ftruncateSync, openSync, closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Cmd } from '../protocol/spec-numbers.js';
import { request } from '../protocol/wire.js';
import { GreedyClient } from '../sharing/greedy-client.js';
import { balancedLedger } from '../support/balanced-ledger.js';
import { hasDirectIo } from '../support/direct-io.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';

const SIZE = 8 * MIB;
const CUTS = 20;
const hows = [
  { how: 'page cache', args: [] },
  ...(hasDirectIo() ? [{ how: 'direct I/O', args: ['--direct-io'] }] : []),
];
const kinds = engines.flatMap((engine) => hows.map((how) => ({ ...engine, ...how })));

/** Over a Unix socket, where long READs go by sendfile. */
const reads = { request: request({ type: Cmd.READ, length: MIB }), answerBytes: 16 + MIB, depth: 16 };
const writes = {
  request: request({ type: Cmd.WRITE, offset: 4 * MIB, payload: Buffer.alloc(64 * 1024, 1) }),
  answerBytes: 16,
  depth: 16,
};

describe.each(kinds)('an image that is cut short under load, $engine engine, $how', ({ env, args }) => {
  it('T10 costs those who read it their connection at most, and the worker nothing', async () => {
    const image = makeImage(SIZE);
    await using holdfast = await startHoldfast({ images: [image], env, args });
    const pids = holdfast.pids();
    const fd = openSync(image, 'r+');
    const clients: GreedyClient[] = [];
    for (const greed of [reads, reads, writes]) clients.push(await GreedyClient.start(holdfast, greed));
    const bystander = await NbdSession.open(holdfast, 'disk.img');
    for (let cut = 0; cut < CUTS; cut++) {
      ftruncateSync(fd, cut % 2 === 0 ? 512 * 1024 + 100 : 4096);
      await delay(10);
      expect(await bystander.read(0, 4096)).toMatchObject({ error: 0 });
      ftruncateSync(fd, SIZE);
      await delay(5);
    }
    closeSync(fd);
    expect(await bystander.read(SIZE - 4096, 4096)).toMatchObject({ error: 0 });
    bystander.hangUp();
    await Promise.all(clients.map((client) => client.stop()));
    await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
    await balancedLedger(holdfast);
    const next = await openWhenServed(holdfast, 'disk.img');
    expect(await next.read(0, 4096)).toMatchObject({ error: 0 });
    expect(holdfast.pids()).toEqual(pids);
  });
});
