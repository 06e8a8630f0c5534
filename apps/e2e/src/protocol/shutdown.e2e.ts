import { checkHealth } from '@holdfast/contracts';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { enter, errorOf, readBytes, readReply } from './conversation.js';
import { closeRawClients, RawClient } from './raw-client.js';
import { replyModes } from './reply-modes.js';
import { engines } from './serving.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';
import { request, type RequestFields } from './wire.js';

const SIZE = 16 * MIB;
const BLOCK = 4096;

describe.each(engines)('a worker that stops, $engine engine', ({ env }) => {
  afterEach(closeRawClients);

  it.each(transports)(
    'T16 over %s outstanding writes finish, later ones get ESHUTDOWN, and every answer is true',
    async (transport) => {
      const image = makeImage(SIZE, { fill: 'empty' });
      await using holdfast = await startHoldfast({ images: [image], env });
      const client = await RawClient.connect(holdfast, transport);
      await enter(client);
      const writes = Array.from({ length: 3000 }, (_, index) => index);
      client.send(
        ...writes.map((index) =>
          request({
            type: Cmd.WRITE,
            flags: CmdFlag.FUA,
            cookie: BigInt(index),
            offset: index * BLOCK,
            payload: Buffer.alloc(BLOCK, 1 + (index % 255)),
          }),
        ),
      );
      const first = await readReply(client, 0n);
      const pid = holdfast.kill('io-worker', 'SIGTERM');
      const replies = await client.readToEnd();
      await holdfast.restarted('io-worker', pid);

      // Replies to the first of them, in order and whole: done, done, …, ESHUTDOWN, ESHUTDOWN, …
      expect(replies.length % 16).toBe(0);
      const errors = [first.error];
      for (let at = 0; at < replies.length; at += 16) {
        expect(replies.toString('hex', at, at + 4)).toBe('67446698');
        expect(replies.readBigUInt64BE(at + 8)).toBe(BigInt(errors.length));
        errors.push(replies.readUInt32BE(at + 4));
      }
      const done = errors.filter((error) => error === Err.OK).length;
      expect(errors).toEqual(errors.map((_, index) => (index < done ? Err.OK : Err.ESHUTDOWN)));
      const content = readFileSync(image);
      for (const index of writes.slice(0, errors.length)) {
        const expected = index < done ? 1 + (index % 255) : 0;
        expect([index, content[index * BLOCK], content[index * BLOCK + BLOCK - 1]]).toEqual([
          index,
          expected,
          expected,
        ]);
      }
    },
  );

  it.each(transports)(
    'T16 over %s a request that comes while the worker stops gets ESHUTDOWN (simple, structured, extended)',
    async (transport) => {
      await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
      const requests = [
        { type: Cmd.READ, length: 512 },
        { type: Cmd.WRITE, payload: Buffer.alloc(70_000) },
        { type: Cmd.FLUSH },
        { type: 99, length: 5 },
      ];
      const asked: { readonly client: RawClient; readonly fields: RequestFields }[] = [];
      for (const mode of replyModes) {
        for (const fields of requests) {
          const client = await RawClient.connect(holdfast, transport);
          await enter(client, '', mode);
          expect((await readBytes(client, 0, 512)).length).toBe(512);
          asked.push({ client, fields });
        }
      }
      holdfast.kill('io-worker', 'SIGTERM');
      const address = `unix:${holdfast.layout.workerSocket}`;
      // Once its socket is gone there is nobody to ask.
      const health = () => checkHealth(address).catch(() => 'UNKNOWN' as const);
      await eventually('the worker to stop', async () => (await health()) !== 'SERVING');
      const errors = await Promise.all(asked.map(({ client, fields }) => errorOf(client, fields)));
      expect(errors).toEqual(asked.map(() => Err.ESHUTDOWN));
      for (const { client } of asked) expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    },
  );

  it('T16 serve stops in order under busy clients: each is served, then refused, then cut off (simple, structured, extended)', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    const outcomes = [];
    for (const transport of transports) {
      for (const mode of replyModes) {
        const client = await RawClient.connect(holdfast, transport);
        await enter(client, '', mode);
        outcomes.push(askUntilTheEnd(client));
      }
    }
    expect(await holdfast.stop()).toBe(0);
    for (const errors of await Promise.all(outcomes)) {
      const served = errors.filter((error) => error === Err.OK).length;
      expect(errors).toEqual(errors.map((_, index) => (index < served ? Err.OK : Err.ESHUTDOWN)));
    }
    expect(holdfast.survivors()).toEqual([]);
  });
});

/** One request after the other until the server closes. @returns what each was answered */
async function askUntilTheEnd(client: RawClient): Promise<number[]> {
  const errors: number[] = [];
  while (!client.ended) {
    const cookie = randomBytes(8).readBigUInt64BE();
    const answer = await errorOf(client, { type: Cmd.READ, length: 512, cookie }).catch((error: unknown) => {
      if (client.ended) return undefined;
      throw error;
    });
    if (answer !== undefined) errors.push(answer);
  }
  return errors;
}
