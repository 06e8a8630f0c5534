import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, enter, greet, askOption, readBytes } from '../protocol/conversation.js';
import { ownBytes } from '../protocol/process-memory.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { Cmd, Opt, Rep } from '../protocol/spec-numbers.js';
import { go, request } from '../protocol/wire.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';

const CONNECTIONS = 1000;
/** Connecting at once: more would only wait. */
const AT_ONCE = 50;
const limits = {
  HOLDFAST_CONNECTIONS_MAX: '2000',
  HOLDFAST_CLIENT_CONNECTIONS_MAX: '2000',
  HOLDFAST_EXPORT_CONNECTIONS_MAX: '2000',
  HOLDFAST_WORKER_SESSIONS_MAX: '2000',
};

/** What is of this process of a session's smallest share: two buffers, and what is read ahead. The rest is the kernel's. */
const BUFFERS_BYTES = 256 * 1024;
/** What a session costs beside: the objects of a connection, and what the garbage collector has not taken yet. */
const OBJECTS_BYTES = 64 * 1024;
/** What the gateway keeps of a connection that it has passed on. */
const PASSED_ON_BYTES = 150 * 1024;

describe('many connections', () => {
  afterEach(closeRawClients);

  async function connectMany(holdfast: Holdfast, count: number): Promise<RawClient[]> {
    const clients: RawClient[] = [];
    while (clients.length < count) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, async () => {
        const client = await RawClient.connect(holdfast, 'unix');
        await enter(client);
        return client;
      });
      clients.push(...(await Promise.all(some)));
    }
    return clients;
  }

  it(`${String(CONNECTIONS)} clients that read, write, and stop reading take no more memory than the setting says`, async () => {
    await using holdfast = await startHoldfast({
      images: [makeImage(8 * MIB)],
      env: {
        ...limits,
        HOLDFAST_WORKER_SESSIONS_MAX: String(CONNECTIONS),
        // Enough for as many of the smallest kind, and not for much more.
        HOLDFAST_WORKER_MEMORY_MAX: '512M',
      },
    });
    const [worker, gateway] = [holdfast.pidOf('io-worker'), holdfast.pidOf('nbd-gateway')];
    const before = { worker: ownBytes(worker), gateway: ownBytes(gateway) };
    const clients = await connectMany(holdfast, CONNECTIONS);
    expect(await listSessions(holdfast)).toHaveLength(CONNECTIONS);

    const payload = Buffer.alloc(64 * 1024, 1);
    for (const client of clients) {
      expect(await readBytes(client, MIB, payload.length)).toHaveLength(payload.length);
      const write = { type: Cmd.WRITE, offset: 0, length: payload.length, payload };
      expect((await ask(client, write)).error).toBe(0);
    }
    // More answers than any socket holds.
    const flood = Buffer.alloc(28 * 1000, request({ type: Cmd.READ, length: 65_536 }));
    for (const client of clients) {
      client.stopReading();
      client.send(flood);
    }
    await settled(worker);

    expect(ownBytes(worker) - before.worker).toBeLessThan(CONNECTIONS * (BUFFERS_BYTES + OBJECTS_BYTES));
    expect(ownBytes(gateway) - before.gateway).toBeLessThan(CONNECTIONS * PASSED_ON_BYTES);
    closeRawClients();
    const other = await RawClient.connect(holdfast, 'unix');
    await enter(other);
    expect(await readBytes(other, 0, payload.length)).toEqual(payload);
  }, 120_000);

  it('one more than there is memory for is refused, is told so, and gets in when another has left', async () => {
    await using holdfast = await startHoldfast({
      images: [makeImage(8 * MIB)],
      env: { ...limits, HOLDFAST_WORKER_THREADS: '1', HOLDFAST_WORKER_MEMORY_MAX: '10M' },
    });
    let refusal = '';
    const clients: RawClient[] = [];
    while (refusal === '' && clients.length < 100) {
      const client = await RawClient.connect(holdfast, 'unix');
      await greet(client);
      const reply = await askOption(client, go(''));
      if (reply.type === Rep.ACK) clients.push(client);
      else {
        expect([reply.option, reply.type]).toEqual([Opt.GO, Rep.ERR_POLICY]);
        refusal = reply.data.toString();
        client.close();
      }
    }
    expect(refusal).toContain('HOLDFAST_WORKER_MEMORY_MAX');
    // 10 MiB, less the buffers of a thread, are 12 sessions of the smallest kind, or half as many and larger ones.
    expect(clients.length).toBeGreaterThanOrEqual(7);
    expect(clients.length).toBeLessThanOrEqual(14);
    clients[0]?.close();
    await eventually(
      'the end of a session',
      async () => (await listSessions(holdfast)).length < clients.length,
    );
    const next = await RawClient.connect(holdfast, 'unix');
    await enter(next);
    expect(await readBytes(next, 0, MIB)).toHaveLength(MIB);
    const log = readFileSync(path.join(holdfast.layout.logs, 'io-worker.log'), 'utf8');
    expect(log).toContain('HOLDFAST_WORKER_MEMORY_MAX');
  });
});

/** Waits until a process takes no more memory: three looks in a row have seen about the same. */
async function settled(pid: number): Promise<void> {
  let last = 0;
  let same = 0;
  await eventually('the memory to settle', () => {
    const now = ownBytes(pid);
    same = Math.abs(now - last) < MIB ? same + 1 : 0;
    last = now;
    return Promise.resolve(same >= 3);
  });
}
