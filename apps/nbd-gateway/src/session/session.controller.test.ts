import { gatewayV1 } from '@holdfast/contracts';
import { beforeEach, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient } from '../testing/handshake-client.js';

const { STATE_NEGOTIATING, STATE_SERVING } = gatewayV1.Session_State;

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await TestGateway.start();
});

const list = (pageSize = 0, pageToken = '') => gateway.sessionsApi.listSessions({ pageSize, pageToken });

test('clients in the handshake and those at the worker are listed, each once', async () => {
  await gateway.publish('disk');
  const where = { path: gateway.layout.nbdSocket };
  await HandshakeClient.connect(where);
  const served = await HandshakeClient.connect(where);
  await served.go('disk');
  await expect
    .poll(async () => (await list()).sessions.map(({ state }) => state).sort())
    .toEqual([STATE_NEGOTIATING, STATE_SERVING]);
  const { sessions } = await list();
  const uid = process.getuid?.() ?? 0;
  for (const { clientAddress } of sessions)
    expect(clientAddress).toBe(`unix:pid=${String(process.pid)},uid=${String(uid)}`);
  expect(sessions.find(({ state }) => state === STATE_SERVING)).toMatchObject({
    export: 'exports/disk',
    device: 'devices/disk',
    lease: 'leases/1',
    readOnly: false,
  });
});

test('sessions are listed by name, page by page', async () => {
  for (const name of ['c', 'a', 'b']) gateway.worker.put(`sessions/${name}`, 'exports/disk');
  const first = await list(2);
  expect(first.sessions.map(({ name }) => name)).toEqual(['sessions/a', 'sessions/b']);
  const rest = await list(2, first.nextPageToken);
  expect(rest.sessions.map(({ name }) => name)).toEqual(['sessions/c']);
  expect(rest.nextPageToken).toBe('');
});

test('one session is found by its name, another is not', async () => {
  gateway.worker.put('sessions/a', 'exports/disk');
  expect(await gateway.sessionsApi.getSession({ name: 'sessions/a' })).toMatchObject({
    state: STATE_SERVING,
  });
  await expect(gateway.sessionsApi.getSession({ name: 'sessions/b' })).rejects.toMatchObject({
    code: 'SESSION_NOT_FOUND',
    message: 'there is no sessions/b',
  });
});

test('without a worker the list fails by name rather than tell half', async () => {
  await gateway.worker.stop();
  await expect(list()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
});
