import { fstatSync } from 'node:fs';
import { HANDOFF_PAYLOAD_MAX, openFdCount, shutdownSocket, ShutdownHow } from '@holdfast/linux';
import { Command, NbdError, PAYLOAD_BYTES_MAX_DEFAULT } from '@holdfast/nbd-protocol';
import { expect, test, vi } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { EngineScene } from '../testing/engine-scene.js';
import { requestBytes } from '../testing/nbd-client.js';

const { READ, WRITE, DISC } = Command;
const write = (payload: string) => ({ type: WRITE, offset: 0, payload: Buffer.from(payload) });

describeEngines('a session', (engine) => {
  test('T15 ends with DISC once everything before it is answered', async () => {
    const scene = new EngineScene(engine());
    const { client, ended } = scene.serve();
    client.send(write('before'), { type: READ, offset: 0, length: 6 }, { type: DISC }, write('after'));
    expect((await client.reply()).error).toBe(0);
    expect((await client.reply()).data.toString()).toBe('before');
    expect(await ended).toBe('disconnect');
    expect(scene.content(0, 6).toString()).toBe('before');
  });

  test.each([
    { what: 'between two requests', bytes: Buffer.alloc(0), reason: 'end-of-stream' },
    {
      what: 'in a header',
      bytes: requestBytes({ type: READ, length: 1 }).subarray(0, 27),
      reason: 'truncated-request',
    },
    {
      what: 'in a payload',
      bytes: requestBytes(write('payload')).subarray(0, 30),
      reason: 'truncated-request',
    },
  ])('ends when its client leaves $what, and nothing half is written', async ({ bytes, reason }) => {
    const scene = new EngineScene(engine());
    const { client, ended } = scene.serve();
    client.socket.end(bytes);
    expect(await ended).toBe(reason);
    expect(scene.content().equals(scene.original())).toBe(true);
  });

  test('T7 ends at a wrong magic, after what came before is answered', async () => {
    const scene = new EngineScene(engine());
    const { client, ended } = scene.serve();
    client.socket.write(Buffer.concat([client.prepare(write('good')), Buffer.alloc(28, 0xff)]));
    expect((await client.reply()).error).toBe(0);
    expect(await ended).toBe('bad-magic');
  });

  test('T1 ends at a WRITE longer than the maximum payload, before its payload is read', async () => {
    const scene = new EngineScene(engine());
    const { client, ended } = scene.serve();
    client.send({ type: WRITE, offset: 0, length: PAYLOAD_BYTES_MAX_DEFAULT + 1 });
    expect(await ended).toBe('payload-too-large');
  });

  test('ends though its client reads nothing, when its socket is shut', async () => {
    const scene = new EngineScene(engine());
    const { client, control, socket, ended } = scene.serve();
    client.socket.pause();
    client.send(...Array.from({ length: 64 }, () => ({ type: READ, offset: 0, length: 1024 * 1024 })));
    await vi.waitUntil(() => control.counters.requests > 0 || client.socket.readableLength > 0);
    shutdownSocket(socket.number, ShutdownHow.BOTH);
    expect(await ended).toBe('end-of-stream');
  });

  test('closes nothing that it was lent, and leaves nothing open', async () => {
    const scene = new EngineScene(engine());
    await scene.serve().client.ask({ type: READ, offset: 0, length: 1 });
    const before = openFdCount();
    const { client, socket, ended } = scene.serve();
    await client.ask({ type: READ, offset: 0, length: 1 });
    client.hangUp();
    await ended;
    expect(fstatSync(socket.number).isSocket()).toBe(true);
    expect(fstatSync(scene.fd).isFile()).toBe(true);
    socket.close();
    await expect.poll(openFdCount).toBe(before);
  });
});

describeEngines('bytes that the gateway had read', (engine) => {
  test('are served first, with the request that they end within', async () => {
    const scene = new EngineScene(engine());
    const both = Buffer.concat([
      requestBytes({ ...write('first'), cookie: 1n }),
      requestBytes({ ...write('second'), cookie: 2n }),
    ]);
    const { client } = scene.serve({ preload: both.subarray(0, 50) });
    client.socket.write(both.subarray(50));
    expect([await client.reply(), await client.reply()].map(({ cookie }) => cookie)).toEqual([1n, 2n]);
    expect(scene.content(0, 6).toString()).toBe('second');
  });

  test('may be as many as a handoff can carry', async () => {
    const scene = new EngineScene(engine());
    const one = requestBytes({ type: WRITE, offset: 0, payload: Buffer.alloc(36) });
    const preload = Buffer.alloc(HANDOFF_PAYLOAD_MAX);
    for (let at = 0; at < preload.length; at += one.length) preload.set(one, at);
    const { client, control } = scene.serve({ preload });
    for (let i = 0; i < HANDOFF_PAYLOAD_MAX / one.length; i++) expect((await client.reply()).error).toBe(0);
    await expect.poll(() => control.counters.requests).toBe(HANDOFF_PAYLOAD_MAX / one.length);
  });
});

describeEngines('a session that is told to stop', (engine) => {
  test('T16 answers what comes from then on with ESHUTDOWN, the first request too', async () => {
    const scene = new EngineScene(engine());
    const { client, control } = scene.serve();
    expect((await client.ask(write('before'))).error).toBe(0);
    control.requestStop();
    const cookie = 0x0123_4567_89ab_cdefn;
    expect(await client.ask({ ...write('after!'), cookie })).toMatchObject({
      error: NbdError.ESHUTDOWN,
      cookie,
    });
    expect((await client.ask({ type: READ, offset: 0, length: 6 })).error).toBe(NbdError.ESHUTDOWN);
    expect(scene.content(0, 6).toString()).toBe('before');
  });

  test('T15 still understands DISC', async () => {
    const scene = new EngineScene(engine());
    const { client, control, ended } = scene.serve();
    control.requestStop();
    client.send({ type: DISC });
    expect(await ended).toBe('disconnect');
  });
});

describeEngines('a session that is fenced', (engine) => {
  test('T17 touches the device no more, whatever has arrived', async () => {
    const scene = new EngineScene(engine());
    const { client, control, ended } = scene.serve();
    await client.ask({ type: READ, offset: 0, length: 1 });
    control.fence();
    client.send(write('stale'));
    expect(await ended).toBe('fenced');
    expect(scene.content().equals(scene.original())).toBe(true);
  });

  test.each([Command.TRIM, Command.WRITE_ZEROES])(
    'T17 neither trims nor zeroes (command %i)',
    async (type) => {
      const scene = new EngineScene(engine());
      const { client, control, ended } = scene.serve();
      await client.ask({ type: READ, offset: 0, length: 1 });
      control.fence();
      client.send({ type, offset: 0, length: 4096 });
      expect(await ended).toBe('fenced');
      expect(scene.content().equals(scene.original())).toBe(true);
    },
  );
});
