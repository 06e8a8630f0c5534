import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { enter, readBytes } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { ownBytes } from './process-memory.js';
import { closeRawClients, RawClient } from './raw-client.js';
import { engines } from './serving.js';
import { Cmd } from './spec-numbers.js';
import { request } from './wire.js';

/** What a garbage-collected process takes and gives at its own time, once the sessions have their threads and buffers. */
const GROWTH_MAX = 64 * MIB;
/** How long requests under way may take when the worker stops. */
const DRAIN_MS = 1000;

/** More answers than any socket holds: 1 GiB of them, and 16 MB to 28 MB of requests. */
const floods = [
  { what: request({ type: Cmd.READ, length: MIB }), count: 1000 },
  { what: request({ type: 99, length: MIB }), count: 1_000_000 },
];

describe.each(engines)('clients that never read, $engine engine', ({ env }) => {
  afterEach(closeRawClients);

  it('T16 clients that never read hold up nobody else, no memory, and no stop', async () => {
    await using holdfast = await startHoldfast({
      images: [makeImage(8 * MIB)],
      env: { ...env, HOLDFAST_WORKER_DRAIN_MS: String(DRAIN_MS) },
    });
    const others = await Promise.all(transports.map((transport) => RawClient.connect(holdfast, transport)));
    for (const other of others) await enter(other);
    const flooding: { readonly client: RawClient; readonly bytes: Buffer }[] = [];
    for (const { what, count } of floods) {
      for (const transport of transports) {
        const client = await RawClient.connect(holdfast, transport);
        await enter(client);
        expect((await readBytes(client, 0, MIB)).length).toBe(MIB);
        flooding.push({ client, bytes: Buffer.alloc(what.length * count, what) });
      }
    }
    const worker = holdfast.pidOf('io-worker');
    const before = ownBytes(worker);
    for (const { client, bytes } of flooding) {
      client.stopReading();
      client.send(bytes);
    }
    await stuck(holdfast);
    expect(ownBytes(worker) - before).toBeLessThan(GROWTH_MAX);

    const [first, second] = others;
    for (let round = 0; round < 20 && first && second; round++) {
      const began = performance.now();
      expectBytes(await readBytes(first, 0, 4096), await readBytes(second, 0, 4096));
      expect(performance.now() - began).toBeLessThan(1000);
    }
    const began = performance.now();
    expect(await holdfast.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(DRAIN_MS + 8000);
    expect(holdfast.survivors()).toEqual([]);
  });
});

/** Waits until no session does anything any more: five looks in a row have seen the same. */
async function stuck(holdfast: Holdfast): Promise<void> {
  let last = '';
  let same = 0;
  await eventually('the sessions to be stuck', async () => {
    const now = (await listSessions(holdfast))
      .map(({ name, requests }) => `${name} ${String(requests)}`)
      .join();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 5;
  });
}
