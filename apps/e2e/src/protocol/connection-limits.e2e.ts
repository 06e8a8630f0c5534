import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { askOption, enter, greet, readBytes, readGoReplies } from './conversation.js';
import { timesHit } from './limits-hit.js';
import type { RawClient } from './raw-client.js';
import { serving } from './serving.js';
import { Opt, Rep } from './spec-numbers.js';
import { go, option } from './wire.js';

describe('connections of the server', () => {
  const MAX = 4;
  const suite = serving({ env: { HOLDFAST_CONNECTIONS_MAX: String(MAX) } });

  it.each(transports)('N10 one connection too many over %s is closed, and counted', async (transport) => {
    const before = await timesHit(suite, 'connections');
    // Some in the handshake, some served: together they are as many as may be.
    const greeted = await Promise.all([suite.connect(), suite.connect('unix')]);
    for (const client of greeted) await greet(client);
    const served: RawClient[] = [];
    while (greeted.length + served.length < MAX) served.push(await suite.enter());
    const tooMany = await suite.connect(transport);
    expect(await tooMany.readToEnd()).toEqual(Buffer.alloc(0));
    expect(await timesHit(suite, 'connections')).toBe(before + 1);

    for (const client of served) expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
    for (const client of greeted) expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);

    // Whoever leaves makes room.
    served[0]?.close();
    await eventually('room', async () => (await listSessions(suite.holdfast)).length < MAX);
    const next = await suite.connect(transport);
    await enter(next);
  });

  it.each([1, 2, 3])('N10 a client that is just being passed on counts once (%i)', async () => {
    await eventually('room for all', async () => {
      const probes = await Promise.all(Array.from({ length: MAX }, () => suite.connect()));
      const room = await Promise.all(
        probes.map((probe) =>
          greet(probe).then(
            () => true,
            () => false,
          ),
        ),
      );
      for (const probe of probes) probe.close();
      await suite.idle();
      return room.every(Boolean);
    });
    const entering: Promise<unknown>[] = [];
    while (entering.length < MAX) {
      const client = await suite.connect();
      await greet(client);
      client.send(go(''));
      entering.push(readGoReplies(client));
    }
    await Promise.all(entering);
  });
});

describe('connections of an export', () => {
  const MAX = 3;
  const suite = serving({
    images: () => [makeImage(MIB, { name: 'one' }), makeImage(MIB, { name: 'two' })],
    env: { HOLDFAST_EXPORT_CONNECTIONS_MAX: String(MAX) },
  });

  it.each(transports)('N10 one too many over %s is refused by ERR_POLICY, and counted', async (transport) => {
    const before = await timesHit(suite, 'export-connections');
    for (let count = 0; count < MAX; count++) await suite.enter('one');
    const tooMany = await suite.connect(transport);
    await greet(tooMany);
    expect((await askOption(tooMany, go('one'))).type).toBe(Rep.ERR_POLICY);
    expect(await timesHit(suite, 'export-connections')).toBe(before + 1);
    // N12: it may try another.
    expect((await askOption(tooMany, go('two'))).type).toBe(Rep.ACK);
  });

  it('N10 no more than may be come in at the same time', async () => {
    const clients = await Promise.all(Array.from({ length: 4 * MAX }, () => suite.connect()));
    for (const client of clients) await greet(client);
    const replies = await Promise.all(clients.map((client) => askOption(client, go('one'))));
    const types = replies.map(({ type }) => type);
    expect(types.filter((type) => type === Rep.ACK)).toHaveLength(MAX);
    expect(types.filter((type) => type === Rep.ERR_POLICY)).toHaveLength(3 * MAX);
  });
});
