import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { Server, type sendUnaryData } from '@grpc/grpc-js';
import { listenAt } from '@holdfast/contracts/testing/grpc-server';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { ServiceProcess, type Replacement } from './service-process.js';

/** Says its process id, and runs until it is told to stop. */
const obedient = 'console.error(`pid ${process.pid}`); setInterval(() => undefined, 1000);';
const stubborn = `process.on('SIGTERM', () => console.error('no')); ${obedient}`;

let said: string[];
let log: string;
let folder: string;
let address: string;

beforeEach(() => {
  said = [];
  log = '';
  folder = temporaryFolder();
  address = `unix:${path.join(folder, 'health.sock')}`;
});

function serviceOf(script: string, { killAfterMs = 10_000 } = {}): ServiceProcess {
  const main = path.join(folder, 'main.mjs');
  writeFileSync(main, script);
  const copy = new PassThrough({ encoding: 'utf8' });
  copy.on('data', (text: string) => (log += text));
  const launch = { name: 'io-worker' as const, main, environment: { COLOUR: 'blue' }, address, log: copy };
  const service = new ServiceProcess({ ...launch, killAfterMs }, (sentence) => said.push(sentence));
  onTestFinished(() => service.stop());
  return service;
}

/** grpc.health.v1.Health/Check, whose every answer is `{ status: SERVING }`: field 1, a varint of 1. */
const health = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: Buffer) => value,
    requestDeserialize: (value: Buffer) => value,
    responseSerialize: () => Buffer.of(0x08, 0x01),
    responseDeserialize: (value: Buffer) => value,
  },
} as const;

/** In place of the service's own health, so that the service may be any program. */
async function beHealthy(): Promise<void> {
  const server = new Server();
  server.addService(health, {
    check: (_call: unknown, answer: sendUnaryData<Buffer>) => {
      answer(null, Buffer.alloc(0));
    },
  });
  await listenAt(address, server);
  onTestFinished(() => {
    server.forceShutdown();
  });
}

const pids = () => [...log.matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
const runs = (count: number) => vi.waitUntil(() => pids().length === count, { timeout: 10_000 });

async function ready(script: string, options?: { killAfterMs: number }): Promise<ServiceProcess> {
  await beHealthy();
  const service = serviceOf(script, options);
  service.start();
  await service.ready(10_000);
  await runs(1);
  return service;
}

describe('a service that starts', () => {
  test('is ready when it says that it serves, and stops without a word when asked', async () => {
    const service = await ready(obedient);
    await service.stop();
    expect(said).toEqual([]);
    expect(() => process.kill(pids()[0] ?? 0, 0)).toThrow('ESRCH');
  });

  test('has its environment, and a pipe that tells it of the end of its supervisor', async () => {
    const service = await ready(
      `import { fstatSync } from 'node:fs';
       const { COLOUR, HOLDFAST_SUPERVISED } = process.env;
       console.error(COLOUR, HOLDFAST_SUPERVISED, fstatSync(0).isFIFO() || fstatSync(0).isSocket());
       ${obedient}`,
    );
    await service.stop();
    expect(log).toMatch(/^blue 1 true\n/);
  });

  test.each([
    {
      how: 'with last words',
      script: `console.error(JSON.stringify({ level: 60, msg: 'the port is taken' })); process.exit(1)`,
      code: 'SERVICE_FAILED',
      words: 'the port is taken',
    },
    {
      how: 'with last words that have a code',
      script: `console.error(JSON.stringify({ level: 60, code: 'DATABASE_LOCKED', msg: 'it is taken' })); process.exit(1)`,
      code: 'DATABASE_LOCKED',
      words: 'it is taken',
    },
    {
      how: 'without a word',
      script: 'process.exit(3)',
      code: 'SERVICE_FAILED',
      words: 'io-worker ended (exit code 3) and said nothing; see its log',
    },
  ])('and ends $how before it is ready is not started again', async ({ script, code, words }) => {
    const service = serviceOf(script);
    service.start();
    await expect(service.ready(10_000)).rejects.toMatchObject({ code, message: words });
    expect(said).toEqual([]);
  });

  test('and never gets ready is given up, with the time it had', async () => {
    const service = serviceOf(obedient);
    service.start();
    await expect(service.ready(200)).rejects.toThrow('io-worker was not ready within 0.2 s');
  });
});

describe('a service that is ready', () => {
  test('and dies is started again, and it is told why', async () => {
    await ready(obedient);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await runs(2);
    expect(pids()[1]).not.toBe(pids()[0]);
    expect(said).toEqual(['io-worker ended (SIGKILL); starting it again in 0.1 s']);
  });

  test('and is stopped while it waits to be started again stays away', async () => {
    const service = await ready(obedient);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await vi.waitUntil(() => said.length === 1, { interval: 1 });
    await service.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pids()).toHaveLength(1);
  });

  test('and does not stop in time is killed, not before', async () => {
    const service = await ready(stubborn, { killAfterMs: 400 });
    const asked = performance.now();
    await service.stop();
    expect(performance.now() - asked).toBeGreaterThanOrEqual(390);
    expect(log).toContain('no\n');
    expect(said).toEqual(['io-worker does not stop; killing it']);
  });
});

describe('a service that is replaced', () => {
  /** Says its process id; a replacement does `next` first. */
  const replaceable = (next: string) => `if (process.env.ROLE === 'next') { ${next} }\n${obedient}`;
  const replacement = (change: Partial<Replacement> = {}): Replacement => ({
    environment: { ROLE: 'next' },
    hasTakenOver: () => Promise.resolve(false),
    deadlineMs: 10_000,
    ...change,
  });

  /** Takes over as soon as it runs, and has the old one end. */
  const takesOver = (pid: number): Promise<boolean> => {
    if (!pids().includes(pid)) return Promise.resolve(false);
    process.kill(pids()[0] ?? 0, 'SIGTERM');
    return Promise.resolve(true);
  };

  test('is the new process from then on: started again when it dies, stopped when asked', async () => {
    const service = await ready(replaceable(''));
    await service.replace(replacement({ hasTakenOver: takesOver }));
    expect(said).toEqual([]);
    process.kill(pids()[1] ?? 0, 'SIGKILL');
    await runs(3);
    expect(said).toEqual(['io-worker ended (SIGKILL); starting it again in 0.1 s']);
    await service.stop();
    for (const pid of pids()) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test.each([
    { how: 'without a word', next: 'process.exit(3)', words: 'the new process ended (exit code 3)' },
    {
      how: 'with last words',
      next: `console.error(JSON.stringify({ level: 60, msg: 'no room' })); process.exit(1)`,
      words: 'the new process ended (no room)',
    },
    {
      how: 'as the old one has told it',
      next: `console.error(JSON.stringify({ level: 60, code: 'UPGRADE_FAILED', msg: 'not now' })); process.exit(1)`,
      words: 'not now',
    },
  ])('in vain by one that ends $how goes on, and may be replaced again', async ({ next, words }) => {
    const service = await ready(replaceable(next));
    for (let time = 0; time < 2; time++) {
      await expect(service.replace(replacement())).rejects.toMatchObject({
        code: 'UPGRADE_FAILED',
        message: expect.stringMatching(new RegExp(`${words.replaceAll(/[()]/g, '\\$&')}$`)) as string,
      });
    }
    expect(() => process.kill(pids()[0] ?? 0, 0)).not.toThrow();
    expect(said).toEqual([]);
  });

  test('in vain by one that never takes over goes on, and the other is killed', async () => {
    const service = await ready(replaceable(''));
    await expect(service.replace(replacement({ deadlineMs: 500 }))).rejects.toThrow(
      'it did not take over within 0.5 s',
    );
    const [old, next] = pids();
    expect(() => process.kill(old ?? 0, 0)).not.toThrow();
    expect(() => process.kill(next ?? 0, 0)).toThrow('ESRCH');
  });

  test('and dies before its replacement has taken over is started again, once that is clear', async () => {
    const service = await ready(replaceable(`setTimeout(() => process.exit(1), 600);`));
    const replacing = service.replace(replacement());
    await runs(2);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await expect(replacing).rejects.toThrow('ended in the middle of the upgrade, and is started again');
    await runs(3);
    expect(said).toEqual(['io-worker ended (SIGKILL); starting it again in 0.1 s']);
  });

  test('by one that dies while the old one still ends is started again', async () => {
    const slow = `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 600)); ${obedient}`;
    const service = await ready(`if (process.env.ROLE !== 'next') { ${slow} } else { ${obedient} }`);
    const replacing = service.replace(replacement({ hasTakenOver: takesOver }));
    await runs(2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(pids()[1] ?? 0, 'SIGKILL');
    await replacing;
    await runs(3);
    expect(said).toEqual(['io-worker ended (SIGKILL); starting it again in 0.1 s']);
  });

  test('in vain by one that dies with everything in its hands does not claim that all goes on', async () => {
    const service = await ready(replaceable(`setTimeout(() => process.exit(1), 200);`));
    const replacing = service.replace(replacement());
    const refused = expect(replacing).rejects.toThrow(
      'ended in the middle of the upgrade, and is started again',
    );
    await runs(2);
    // The old one ends because it has handed over, a moment after the new one died.
    setTimeout(() => process.kill(pids()[0] ?? 0, 'SIGTERM'), 500);
    await refused;
    await runs(3);
  });

  test('is replaced once at a time', async () => {
    const service = await ready(replaceable(''));
    const first = service.replace(replacement({ deadlineMs: 500 }));
    await expect(service.replace(replacement())).rejects.toThrow('another upgrade is under way');
    await expect(first).rejects.toThrow();
  });

  test('and stopped meanwhile leaves neither process', async () => {
    const service = await ready(
      // As a worker does whose partner has called the handover off.
      replaceable(
        `setInterval(() => { try { process.kill(Number(process.env.OLD), 0); } catch { process.exit(1); } }, 20);`,
      ),
    );
    const environment = { ROLE: 'next', OLD: String(pids()[0]) };
    const replacing = service.replace(replacement({ environment }));
    await runs(2);
    const [failed] = await Promise.all([replacing.catch((error: unknown) => error), service.stop()]);
    expect(failed).toMatchObject({ code: 'UPGRADE_FAILED' });
    for (const pid of pids()) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(said).toEqual([]);
  });
});
