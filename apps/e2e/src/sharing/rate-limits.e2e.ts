import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, enter, readReply, send } from '../protocol/conversation.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { engines } from '../protocol/serving.js';
import { Cmd } from '../protocol/spec-numbers.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';

/** The codes that the command line promises. */
const DONE = 0;
const USAGE = 64;

/** What a machine that does other things may take away from a rate that is a fraction of what it can do. */
const LEAST = 0.5;

describe.each(engines)('what an export may take, $engine engine', ({ env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(8 * MIB)], env: { ...env } });
  });
  afterEach(closeRawClients);

  async function cli(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await holdfast.cli('export', ...args);
    expect(code, stderr).toBe(DONE);
    return stdout;
  }

  const add = (name: string, ...options: readonly string[]) =>
    cli('add', name, '--device', 'disk.img', '--burst', '0.1', ...options);

  async function connect(name: string): Promise<RawClient> {
    const client = await RawClient.connect(holdfast, 'unix');
    await enter(client, name);
    return client;
  }

  /** Requests that clients with eight in flight are answered, for a while. @returns a second */
  async function rateOf(clients: readonly RawClient[], length: number, ms = 2000): Promise<number> {
    const request = { type: Cmd.READ, length, cookie: 7n };
    const end = performance.now() + ms;
    const counts = clients.map(async (client) => {
      for (let i = 0; i < 8; i++) send(client, request);
      let count = 0;
      for (;;) {
        expect((await readReply(client, 7n, length)).error).toBe(0);
        if (performance.now() >= end) break;
        count++;
        send(client, request);
      }
      for (let i = 1; i < 8; i++) await readReply(client, 7n, length);
      return count;
    });
    return ((await Promise.all(counts)).reduce((sum, count) => sum + count, 0) * 1000) / ms;
  }

  it('is requests a second, of all its sessions together', async () => {
    await add('iops', '--iops', '200');
    const rate = await rateOf([await connect('iops'), await connect('iops')], 512);
    // The burst comes on top.
    expect(rate).toBeLessThan(200 + 20);
    expect(rate).toBeGreaterThan(200 * LEAST);
  });

  it('is bytes a second', async () => {
    await add('bytes', '--bytes-per-second', '8M');
    const rate = (await rateOf([await connect('bytes')], 64 * 1024)) * 64 * 1024;
    expect(rate).toBeLessThan(8 * MIB * 1.1);
    expect(rate).toBeGreaterThan(8 * MIB * LEAST);
  });

  it('changes for clients that are connected, within a second', async () => {
    await add('changing', '--iops', '50');
    const client = await connect('changing');
    expect(await rateOf([client], 512, 1000)).toBeLessThan(60);
    await cli('limit', 'changing', '--iops', '500');
    const faster = await rateOf([client], 512, 1000);
    expect(faster).toBeGreaterThan(100);
    expect(faster).toBeLessThan(600);

    // A client that waits for what it owes goes on at once.
    await cli('limit', 'changing', '--iops', '1', '--burst', '0.01');
    for (let i = 0; i < 50; i++) send(client, { type: Cmd.READ, length: 512, cookie: 7n });
    await readReply(client, 7n, 512);
    await cli('limit', 'changing', '--iops', 'none');
    const began = performance.now();
    for (let i = 0; i < 49; i++) await readReply(client, 7n, 512);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(await rateOf([client], 512, 500)).toBeGreaterThan(600);
  });

  it('holds up no client of another export', async () => {
    await add('slow', '--iops', '1', '--burst', '0.01');
    await add('other');
    const slow = await connect('slow');
    for (let i = 0; i < 100; i++) send(slow, { type: Cmd.READ, length: 512, cookie: 7n });
    const other = await connect('other');
    const began = performance.now();
    for (let i = 0; i < 100; i++) expect((await ask(other, { type: Cmd.READ, length: 512 })).error).toBe(0);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('keeps no forced detach and no stop waiting', async () => {
    await add('stuck', '--iops', '1', '--burst', '0.01');
    const client = await connect('stuck');
    for (let i = 0; i < 100; i++) send(client, { type: Cmd.READ, length: 512, cookie: 7n });
    await readReply(client, 7n, 512);
    const began = performance.now();
    const { code } = await holdfast.cli('device', 'detach', 'disk.img', '--force');
    expect(code).toBe(DONE);
    expect(performance.now() - began).toBeLessThan(8000);
    expect((await holdfast.cli('device', 'attach', 'disk.img')).code).toBe(DONE);
  });

  it('is shown, and refused where it makes no sense', async () => {
    await add('shown', '--iops', '500', '--bytes-per-second', '50M');
    expect(await cli('show', 'shown')).toContain('rate limit: 500 requests/s, 50 MiB/s, burst 0.1 s');
    expect(await cli('limit', 'shown', '--iops', 'none', '--burst', '2')).toContain('50 MiB/s, burst 2 s');
    expect(await cli('limit', 'shown', '--bytes-per-second', 'none')).not.toContain('rate limit');
    expect((await holdfast.cli('export', 'limit', 'shown', '--iops', '0')).code).toBe(USAGE);
    const refused = await holdfast.cli('export', 'limit', 'shown', '--bytes-per-second', '1K');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('65536')]);
    const nothing = await holdfast.cli('export', 'limit', 'shown');
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('--iops')]);
  });
});
