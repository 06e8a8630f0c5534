import { describe, expect, it } from 'vitest';
import { askOption, goTo, greet, readBytes, readReply } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { footprints, settled } from '../protocol/footprints.js';
import { ownBytes } from '../protocol/process-memory.js';
import { RawClient } from '../protocol/raw-client.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';
import { serving } from '../protocol/serving.js';
import { Cmd, Opt } from '../protocol/spec-numbers.js';
import { go, option, request } from '../protocol/wire.js';
import { eventually } from '../support/eventually.js';
import { makeImage, MIB } from '../support/image.js';
import { getGateway, getWorker, listLeases, listSessions } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { clientHello } from './client-hello.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { byCertificate, byKey, connectTls } from './tls-client.js';

const CLIENTS = 120;
const AT_ONCE = 10;
const CROWD = 200;
/** Long before the end of any time that a client is given. */
const AT_ONCE_MS = 5000;
/** What a garbage-collected process takes and gives at its own time. */
const GROWTH_MAX = 64 * MIB;

const credentials = await makeCredentials('vm1');
const identities = [byCertificate(credentials, 'vm1'), byKey(credentials)] as const;
const suite = serving({
  args: serveArgs(credentials, 'required'),
  images: () => [makeImage(4 * MIB)],
  env: { HOLDFAST_WORKER_THREADS: '2' },
});

/** How far a client goes, and the connection that it then leaves without a word. */
const points: Readonly<Record<string, (random: SeededRandom) => Promise<RawClient>>> = {
  'after STARTTLS': async (random) => await announced(random),
  'in its first message of TLS': async (random) => {
    const client = await announced(random);
    const hello = await clientHello(identities[0]);
    await client.sent(hello.subarray(0, 1 + random.int(hello.length - 1)));
    return client;
  },
  'with the answer of TLS on its way': async (random) => {
    const client = await announced(random);
    await client.sent(await clientHello(identities[0]));
    return client;
  },
  'once inside TLS': (random) => inside(random),
  'while GO is decided': async (random) => {
    const client = await inside(random);
    await client.sent(go('disk.img'));
    return client;
  },
  'in a request': async (random) => {
    const client = await served(random);
    await client.sent(request({ type: Cmd.READ, length: 4096 }).subarray(0, 1 + random.int(27)));
    return client;
  },
  'in a payload': async (random) => {
    const client = await served(random);
    const write = request({ type: Cmd.WRITE, payload: Buffer.alloc(2 * MIB, 1) });
    await client.sent(write.subarray(0, 28 + random.int(write.length - 28)));
    return client;
  },
  'with replies on their way': async (random) => {
    const client = await served(random);
    client.send(
      ...Array.from({ length: 1 + random.int(20) }, () => request({ type: Cmd.READ, length: MIB })),
    );
    await readReply(client, 0n, MIB);
    return client;
  },
  'without reading its replies': async (random) => {
    const client = await served(random);
    client.stopReading();
    await client.sent(...Array.from({ length: 64 }, () => request({ type: Cmd.READ, length: MIB })));
    return client;
  },
  'after DISC': async (random) => {
    const client = await served(random);
    await client.sent(request({ type: Cmd.READ, length: MIB }), request({ type: Cmd.DISC }));
    return client;
  },
};

async function announced(random: SeededRandom): Promise<RawClient> {
  const client = await RawClient.connect(suite.holdfast, random.pick(transports));
  await greet(client);
  await askOption(client, option(Opt.STARTTLS));
  return client;
}

function inside(random: SeededRandom): Promise<RawClient> {
  return connectTls(suite.holdfast, random.pick(identities), random.pick(transports));
}

async function served(random: SeededRandom): Promise<RawClient> {
  const client = await inside(random);
  await goTo(client);
  return client;
}

async function comeAndGo(random: SeededRandom): Promise<void> {
  const point = random.pick(Object.keys(points));
  const departure = random.pick(['close', 'reset', 'halfClose'] as const);
  const client = await points[point]?.(random).catch((error: unknown) => {
    throw new Error(`a client that leaves ${point}`, { cause: error });
  });
  client?.[departure]();
  // Nobody waits for answers after a half-close.
  if (departure === 'halfClose') client?.close();
}

async function clients(count: number, random: SeededRandom): Promise<void> {
  for (let gone = 0; gone < count; gone += AT_ONCE) {
    const seeds = Array.from({ length: AT_ONCE }, () => random.int(2 ** 31));
    await Promise.all(seeds.map((seed) => comeAndGo(new SeededRandom(seed))));
    await suite.idle();
  }
}

describe('what clients of TLS leave behind', () => {
  it(`T17 ${String(CLIENTS)} that are gone abruptly leave nothing (seed ${String(runSeed)})`, async () => {
    const random = new SeededRandom(runSeed);
    // The first make what stays: pools, caches, compiled code.
    await clients(4 * AT_ONCE, random);
    const before = await settled(suite.holdfast);
    const pids = [...suite.holdfast.pids().values()];
    const memoryBefore = pids.map(ownBytes);

    await clients(CLIENTS, random);

    expect(await listLeases(suite.holdfast)).toEqual([]);
    expect(await getWorker(suite.holdfast)).toMatchObject({ threadsBusy: 0, eventLoopSessions: 0 });
    await eventually(
      'the end of all handshakes',
      async () => (await getGateway(suite.holdfast)).negotiating === 0,
    );
    await eventually(`footprints as before: ${JSON.stringify(before)}`, () => {
      return JSON.stringify(footprints(suite.holdfast)) === JSON.stringify(before);
    });
    for (const [index, pid] of pids.entries()) {
      expect(ownBytes(pid) - (memoryBefore[index] ?? 0)).toBeLessThan(GROWTH_MAX);
    }
  });

  // Of a write that fails at once, Node's TLS tells nobody.
  it.each(transports)(
    'one that resets over %s while it is answered leaves nothing, at once',
    async (transport) => {
      for (let round = 0; round < 20; round++) {
        const client = await connectTls(suite.holdfast, identities[0], transport);
        if (round % 2 === 1) await goTo(client);
        await client.sent(round % 2 === 0 ? go('disk.img') : request({ type: Cmd.READ, length: 4 * MIB }));
        client.reset();
      }
      const began = performance.now();
      await suite.idle();
      expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
    },
  );

  it(`${String(CROWD)} at once are all served, and leave nothing`, async () => {
    const random = new SeededRandom(runSeed);
    await clients(AT_ONCE, random);
    const before = await settled(suite.holdfast);
    const image = suite.imageBytes(0, 65_536);
    const crowd = await Promise.all(Array.from({ length: CROWD }, () => served(random)));
    expect(await listSessions(suite.holdfast)).toHaveLength(CROWD);
    const answers = await Promise.all(crowd.map((client) => readBytes(client, 0, 65_536)));
    for (const answer of answers) expectBytes(answer, image);
    for (const client of crowd) client.close();
    await suite.idle();
    await eventually(`footprints as before: ${JSON.stringify(before)}`, () => {
      return JSON.stringify(footprints(suite.holdfast)) === JSON.stringify(before);
    });
  });
});
