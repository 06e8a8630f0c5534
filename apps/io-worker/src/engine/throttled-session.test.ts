import { Command } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { SharedLimit } from '../rate/shared-limit.js';
import { describeEngines } from '../testing/both-engines.js';
import { EngineScene } from '../testing/engine-scene.js';

/** What a machine that does other things may be late by, in milliseconds. */
const LATE_MS = 1500;

function limitOf(iops: number, bytesPerSecond = 0, burstMs = 10): SharedLimit {
  const limit = new SharedLimit();
  limit.set({ iops, bytesPerSecond, burstMs });
  return limit;
}

/** Sooner than a pause ends by itself. */
const PROMPT_MS = 200;

const read = (length = 512) => ({ type: Command.READ, offset: 0, length });

describeEngines('a session with a rate limit', (engine) => {
  describe('that it has reached', () => {
    test('goes on at the rate, whatever is in flight', async () => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve({ limit: limitOf(100) });
      const began = performance.now();
      client.send(...Array.from({ length: 51 }, () => read()));
      for (let i = 0; i < 51; i++) expect((await client.reply()).error).toBe(0);
      // One at once, one of the burst.
      expect(performance.now() - began).toBeGreaterThanOrEqual(485);
      expect(performance.now() - began).toBeLessThan(490 + LATE_MS);
    });

    test('is held to bytes a second in both directions', async () => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve({ limit: limitOf(0, 1_000_000) });
      const began = performance.now();
      const payload = new Uint8Array(100_000);
      client.send(read(100_000), { type: Command.WRITE, offset: 0, payload }, read(100_000), read(1));
      for (let i = 0; i < 4; i++) expect((await client.reply()).error).toBe(0);
      expect(performance.now() - began).toBeGreaterThanOrEqual(285);
      expect(performance.now() - began).toBeLessThan(300 + LATE_MS);
    });

    test('answers before it waits', async () => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve({ limit: limitOf(0, 65_536) });
      const began = performance.now();
      client.send(read(4096), read(512 * 1024), read());
      await client.reply();
      await client.reply();
      expect(performance.now() - began).toBeLessThan(LATE_MS);
    });

    test('shares it with the other sessions', async () => {
      const scene = new EngineScene(engine());
      const limit = limitOf(100);
      const clients = [scene.serve({ limit }).client, scene.serve({ limit }).client];
      const began = performance.now();
      for (const client of clients) client.send(...Array.from({ length: 25 }, () => read()));
      await Promise.all(
        clients.map(async (client) => {
          for (let i = 0; i < 25; i++) await client.reply();
        }),
      );
      expect(performance.now() - began).toBeGreaterThanOrEqual(475);
    });

    test('goes on within a second when the limit is raised', async () => {
      const scene = new EngineScene(engine());
      const limit = limitOf(0, 65_536);
      const { client } = scene.serve({ limit });
      client.send(read(2 * 1024 * 1024), read());
      await client.reply();
      limit.set({ iops: 0, bytesPerSecond: 0, burstMs: 10 });
      const began = performance.now();
      await client.reply();
      expect(performance.now() - began).toBeLessThan(1000);
    });

    test('T16 answers ESHUTDOWN at once when it is to stop', async () => {
      const scene = new EngineScene(engine());
      const { client, control } = scene.serve({ limit: limitOf(0, 65_536) });
      client.send(read(2 * 1024 * 1024), read(), read());
      await client.reply();
      const began = performance.now();
      control.requestStop();
      expect([(await client.reply()).error, (await client.reply()).error]).toEqual([108, 108]);
      expect(performance.now() - began).toBeLessThan(PROMPT_MS);
    });

    test('T17 ends at once when it is fenced, and writes nothing more', async () => {
      const scene = new EngineScene(engine());
      const { client, control, ended } = scene.serve({ limit: limitOf(0, 65_536) });
      client.send(read(2 * 1024 * 1024), { type: Command.WRITE, offset: 0, payload: new Uint8Array(512) });
      await client.reply();
      const began = performance.now();
      control.fence();
      expect(await ended).toBe('fenced');
      expect(performance.now() - began).toBeLessThan(PROMPT_MS);
      expect(scene.content(0, 512)).toEqual(scene.original(0, 512));
    });

    test('burns no processor time', async () => {
      const scene = new EngineScene(engine());
      const sessions = [1, 2].map(() => scene.serve({ limit: limitOf(0, 65_536) }));
      for (const { client } of sessions) {
        client.send(read(2 * 1024 * 1024), read());
        await client.reply();
      }
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const { user, system } = process.cpuUsage(before);
      expect(user + system).toBeLessThan(300_000);
    });

    test('does what a client has sent that has gone, and keeps the device no longer', async () => {
      const scene = new EngineScene(engine());
      const limit = limitOf(0, 65_536);
      const { client, ended } = scene.serve({ limit });
      client.send(read(2 * 1024 * 1024), { type: Command.WRITE, offset: 0, payload: new Uint8Array(512) });
      await client.reply();
      const began = performance.now();
      client.hangUp();
      expect(['end-of-stream', 'truncated-request']).toContain(await ended);
      expect(performance.now() - began).toBeLessThan(LATE_MS);
      expect(scene.content(0, 512)).toEqual(Buffer.alloc(512));
      expect(limit.isFull(process.hrtime.bigint() + 20_000_000_000n)).toBe(false);
    });

    test('holds up no other session', async () => {
      const scene = new EngineScene(engine());
      const slow = scene.serve({ limit: limitOf(0, 65_536) }).client;
      const { client } = scene.serve();
      slow.send(read(2 * 1024 * 1024), read());
      await slow.reply();
      const began = performance.now();
      for (let i = 0; i < 100; i++) await client.ask(read());
      expect(performance.now() - began).toBeLessThan(LATE_MS);
    });
  });
});
