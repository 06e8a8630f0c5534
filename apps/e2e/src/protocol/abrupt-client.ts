import type { Holdfast } from '../support/holdfast.js';
import { transports } from '../support/ready-line.js';
import { enter, greet, readReply } from './conversation.js';
import { RawClient } from './raw-client.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { Cmd, CmdFlag } from './spec-numbers.js';
import { clientFlags, go, request } from './wire.js';

const MIB = 1024 * 1024;

/** How far a client goes before it is gone. */
const points: Readonly<Record<string, (client: RawClient, random: SeededRandom) => Promise<unknown>>> = {
  'before the greeting': () => Promise.resolve(),
  'after its flags': (client) => greet(client),
  'in an option': async (client, random) => {
    await greet(client);
    const option = go('disk.img');
    await client.sent(option.subarray(0, 1 + random.int(option.length - 1)));
  },
  'while GO is decided': async (client) => {
    await greet(client);
    await client.sent(go('disk.img'));
  },
  'with GO and requests in one piece': (client) =>
    client.sent(clientFlags(), go('disk.img'), request({ type: Cmd.READ, length: 4096 })),
  'after GO': (client) => enter(client),
  'in a request': async (client, random) => {
    await enter(client);
    await client.sent(request({ type: Cmd.READ, length: 4096 }).subarray(0, 1 + random.int(27)));
  },
  'in a payload': async (client, random) => {
    await enter(client);
    const write = request({ type: Cmd.WRITE, payload: Buffer.alloc(random.pick([100, 5000, 2 * MIB]), 1) });
    await client.sent(write.subarray(0, 28 + random.int(write.length - 28)));
  },
  'with replies on their way': async (client, random) => {
    await enter(client);
    const reads = Array.from({ length: 1 + random.int(20) }, () => request({ type: Cmd.READ, length: MIB }));
    client.send(...reads);
    await readReply(client, 0n, MIB);
  },
  'without reading its replies': async (client) => {
    await enter(client);
    client.stopReading();
    await client.sent(...Array.from({ length: 64 }, () => request({ type: Cmd.READ, length: MIB })));
  },
  'with writes on their way': async (client, random) => {
    await enter(client);
    const payload = Buffer.alloc(random.pick([512, 65_536]), 2);
    const flags = random.pick([0, CmdFlag.FUA]);
    client.send(...Array.from({ length: 50 }, () => request({ type: Cmd.WRITE, flags, payload })));
    await readReply(client, 0n);
  },
  'after DISC': async (client) => {
    await enter(client);
    await client.sent(request({ type: Cmd.READ, length: MIB }), request({ type: Cmd.DISC }));
  },
};

/** Connects, goes to a random point, and is gone in a random way. */
export async function comeAndGo(holdfast: Holdfast, random: SeededRandom): Promise<void> {
  const transport = random.pick(transports);
  const point = random.pick(Object.keys(points));
  const departure = random.pick(['close', 'reset'] as const);
  const client = await RawClient.connect(holdfast, transport);
  await points[point]?.(client, random).catch((error: unknown) => {
    throw new Error(`a client that leaves ${point} over ${transport}`, { cause: error });
  });
  client[departure]();
}
