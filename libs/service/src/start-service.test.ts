import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkHealth, createClient, workerV1 } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Child } from './testing/child.js';

function start(environment: NodeJS.ProcessEnv = {}) {
  const state = temporaryFolder();
  const child = new Child('test-service', { HOLDFAST_STATE: state, ...environment });
  const socket = path.join(state, 'test.sock');
  return { child, state, socket, address: `unix:${socket}` };
}

function connect(address: string) {
  const client = createClient(workerV1.SessionServiceService, address);
  onTestFinished(client.close);
  return client;
}

describe('a service that starts', () => {
  test('Law 8 listens on a socket of mode 0600, under its own process title', async () => {
    const { child, socket } = start();
    await child.says('ready');
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const title = readFileSync(`/proc/${String(child.process.pid)}/cmdline`, 'utf8');
    expect(title.replaceAll('\0', '').trim()).toBe('holdfast test-service');
  });

  test('answers before it is ready, and says that it does not serve yet', async () => {
    const { child, address } = start({ TEST_START: 'slow' });
    await child.says('starting');
    expect(await checkHealth(address)).toBe('NOT_SERVING');
    await child.says('ready');
    expect(await checkHealth(address)).toBe('SERVING');
  });

  test('takes over the socket of a predecessor that was killed', async () => {
    const { child, state, address } = start();
    await child.says('ready');
    child.process.kill('SIGKILL');
    await child.ended();
    const successor = new Child('test-service', { HOLDFAST_STATE: state });
    await successor.says('ready');
    expect(await checkHealth(address)).toBe('SERVING');
  });
});

describe('a service that cannot start', () => {
  test.each([
    {
      environment: { HOLDFAST_STATE: 'relative' },
      words: 'HOLDFAST_STATE="relative" is not valid: must be an absolute path',
    },
    {
      environment: { TEST_ANSWER: '43' },
      words: 'TEST_ANSWER="43" is not valid: must be a whole number, 1–42',
    },
    { environment: { TEST_START: 'fail' }, words: 'the port is taken; choose another' },
  ])('ends with exit code 1 and one fatal line: $words', async ({ environment, words }) => {
    const { child, socket } = start(environment);
    expect(await child.ended()).toBe(1);
    expect(child.lastWords.map(({ msg }) => msg)).toEqual([words]);
    expect(child.lastWords[0]?.code).toMatch(/^(INVALID_SETTING|PORT_IN_USE)$/);
    expect(existsSync(socket)).toBe(false);
  });

  test('leaves alone the socket of the one that runs', async () => {
    const { child, state, address } = start();
    await child.says('ready');
    const second = new Child('test-service', { HOLDFAST_STATE: state });
    expect(await second.ended()).toBe(1);
    expect(second.lastWords[0]?.msg).toBe(`another process listens on ${path.join(state, 'test.sock')}`);
    expect(await checkHealth(address)).toBe('SERVING');
  });

  test('leaves alone what is no socket', async () => {
    const state = temporaryFolder();
    writeFileSync(path.join(state, 'test.sock'), 'precious');
    const child = new Child('test-service', { HOLDFAST_STATE: state });
    expect(await child.ended()).toBe(1);
    expect(readFileSync(path.join(state, 'test.sock'), 'utf8')).toBe('precious');
  });
});

describe('a service that fails later', () => {
  test.each([
    ['throw', 'a forgotten exception'],
    ['reject', 'a forgotten rejection'],
  ])('logs why before it ends (%s)', async (how, words) => {
    const { child } = start({ TEST_LATER: how });
    expect(await child.ended()).toBe(1);
    expect(child.lastWords.map(({ msg }) => msg)).toEqual([words]);
  });
});

describe('an error in a call', () => {
  test('that is ours reaches the caller with its code and facts', async () => {
    const { child, address } = start();
    await child.says('ready');
    await expect(connect(address).abandonSession({ name: 'sessions/a' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
      message: 'no sessions/a',
      metadata: { session: 'sessions/a' },
    });
  });

  test('that is a bug is INTERNAL: its message without its stack, which stays in the log', async () => {
    const { child, address } = start();
    await child.says('ready');
    const call = connect(address).prepareSession(workerV1.PrepareSessionRequest.fromPartial({}));
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'INTERNAL',
      message: 'cannot read properties of undefined',
      metadata: {},
    });
    await vi.waitFor(() => {
      const line = child.log.find(({ msg }) => msg === 'unexpected error in a call');
      expect(JSON.stringify(line)).toContain('test-service.js:');
    });
  });
});

test('a call that never ends does not keep a service from stopping', async () => {
  const { child, address } = start();
  await child.says('ready');
  const call = connect(address).listSessions({ pageSize: 0, pageToken: '' });
  const outcome = expect(call).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await child.says('listing');
  const asked = performance.now();
  child.process.kill('SIGTERM');
  expect(await child.ended()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(5_000);
  await outcome;
});
