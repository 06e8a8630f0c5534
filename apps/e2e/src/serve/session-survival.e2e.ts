import { beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { endVerified, requireFio, startFio } from '../support/fio.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';

/** Neither is on the path of the data. */
const bystanders = ['nbd-gateway', 'device-registry'] as const;

const ROUNDS = 20;
const ROUNDS_MS_MAX = 300_000;

describe.each(engines)('a session of the $engine engine', ({ env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(32 * MIB, { fill: 'empty' })], env });
  });

  it.each(bystanders)('Law 1 outlives %s, keeps its lease, and gives it back in the end', async (service) => {
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect(await session.write(0, Buffer.from('before'))).toMatchObject({ error: 0 });
    const [lease] = await listLeases(holdfast);

    const killed = holdfast.kill(service);
    expect(await session.write(4096, Buffer.from('during'))).toMatchObject({ error: 0 });
    await holdfast.restarted(service, killed);

    expect((await session.read(0, 6)).data.toString()).toBe('before');
    expect((await session.read(4096, 6)).data.toString()).toBe('during');
    // The registry serves once it has compared its leases with the worker's sessions.
    await everythingServes(holdfast);
    expect(await listLeases(holdfast)).toEqual([lease]);
    expect(await listSessions(holdfast)).toMatchObject([{ lease: lease?.name }]);
    session.hangUp();
    await eventually('its lease to end', async () => (await listLeases(holdfast)).length === 0);
  });

  it.skipIf(requireFio.missing)(
    `Law 1 goes on without an error while fio verifies and both are killed ${String(ROUNDS)} times ${requireFio.note}`,
    async () => {
      const uri = holdfast.uri('unix');
      const fio = startFio({
        uri,
        connections: 4,
        bytesEach: 8 * MIB,
        blocks: '4k-64k',
        endlessMs: ROUNDS_MS_MAX,
      });
      let written = await eventually('fio to write', () => bytesWritten(holdfast));
      for (let round = 0; round < ROUNDS; round++) {
        const killed = bystanders.map((service) => [service, holdfast.kill(service)] as const);
        for (const [service, pid] of killed) await holdfast.restarted(service, pid);
        written = await eventually('fio to write on', async () => {
          const now = (await bytesWritten(holdfast).catch(() => undefined)) ?? 0n;
          return now > written ? now : undefined;
        });
      }
      await endVerified(fio);
      await eventually('the leases to end', async () => {
        return (await listLeases(holdfast).catch(() => [undefined])).length === 0;
      });
    },
    ROUNDS_MS_MAX,
  );
});

async function everythingServes(holdfast: Holdfast): Promise<void> {
  await eventually('every service to serve', async () => (await holdfast.cli('status')).code === 0);
}

/** By all four connections; undefined as long as one of them has written nothing. */
async function bytesWritten(holdfast: Holdfast): Promise<bigint | undefined> {
  const sessions = (await listSessions(holdfast)).map((session) => session.bytesWritten);
  if (sessions.length < 4 || sessions.includes(0n)) return undefined;
  return sessions.reduce((sum, bytes) => sum + bytes, 0n);
}
