import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { transports } from '../support/ready-line.js';
import { enter, readBytes } from './conversation.js';
import { timesHit } from './limits-hit.js';
import { serving } from './serving.js';
import { Opt } from './spec-numbers.js';
import { clientFlags, optionHeader } from './wire.js';

const HANDSHAKE_MS = 1500;
const suite = serving({ env: { HOLDFAST_HANDSHAKE_MS: String(HANDSHAKE_MS) } });

/** What a client sends before it falls silent. */
const beginnings = {
  nothing: Buffer.alloc(0),
  'half of its flags': clientFlags().subarray(0, 2),
  'its flags': clientFlags(),
  'half of an option header': Buffer.concat([clientFlags(), optionHeader(Opt.LIST, 0).subarray(0, 9)]),
  'an option without its data': Buffer.concat([clientFlags(), optionHeader(Opt.GO, 100)]),
  'an option longer than any': Buffer.concat([clientFlags(), optionHeader(Opt.GO, 0xffff_ffff)]),
};

describe.each(transports)('the time for a handshake over %s', (transport) => {
  it(`N10 silent clients are cut off in time, and counted, after ${Object.keys(beginnings).join(', ')}`, async () => {
    const before = await timesHit(suite, 'handshake-time');
    const waits = Object.values(beginnings).map(async (bytes) => {
      const began = performance.now();
      const client = await suite.connect(transport);
      client.send(bytes);
      await client.readToEnd();
      return performance.now() - began;
    });
    for (const waitedMs of await Promise.all(waits)) expect(waitedMs).toBeGreaterThan(HANDSHAKE_MS - 50);
    expect(await timesHit(suite, 'handshake-time')).toBe(before + waits.length);
  });

  it('N10 the time is for the whole handshake, however busy the client is', async () => {
    const before = await timesHit(suite, 'handshake-time');
    const client = await suite.connect(transport);
    client.send(clientFlags(), optionHeader(99, 100_000));
    for (let sent = 0; !client.ended && sent < 100_000; sent++) {
      await client.sent(Buffer.alloc(1));
      await delay(5);
    }
    expect(client.ended).toBe(true);
    expect(await timesHit(suite, 'handshake-time')).toBe(before + 1);
  });

  it('N10 a handshake that is over is not bounded in time', async () => {
    const session = await suite.connect(transport);
    await enter(session);
    const silent = await suite.connect(transport);
    await silent.readToEnd();
    expect(await readBytes(session, 0, 512)).toEqual(suite.imageBytes(0, 512));
  });
});
