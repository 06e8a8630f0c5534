import { gatewayV1, workerV1 } from '@holdfast/contracts';
import { encodeMetaContextRequest, Option } from '@holdfast/nbd-protocol';
import { beforeEach, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient } from '../testing/handshake-client.js';

const { REPLY_MODE_UNSPECIFIED, REPLY_MODE_STRUCTURED } = gatewayV1.ReplyMode;
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

test('a session tells what was negotiated', async () => {
  await gateway.publish('disk', {
    blockSize: { minimum: 512, preferred: 4096, payloadMaximum: 1024 * 1024, required: false },
  });
  const client = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
  const unsettled = { replyMode: REPLY_MODE_UNSPECIFIED, metaContexts: [], tls: false, payloadMaximum: 0 };
  expect((await list()).sessions).toMatchObject([unsettled]);
  await client.ask(Option.STRUCTURED_REPLY);
  const queries = ['base:allocation'];
  await client.ask(Option.SET_META_CONTEXT, encodeMetaContextRequest({ exportName: 'disk', queries }));
  await client.go('disk');
  await expect
    .poll(async () => (await list()).sessions)
    .toMatchObject([
      {
        replyMode: REPLY_MODE_STRUCTURED,
        metaContexts: [{ id: 1, name: 'base:allocation' }],
        tls: false,
        blockSizeMinimum: 512,
        payloadMaximum: 1024 * 1024,
      },
    ]);
});

test.each(Object.entries(workerV1.ReplyMode))(
  'the reply mode %s of the worker has a name here',
  async (name, mode) => {
    gateway.worker.put('sessions/a', 'exports/disk', { replyMode: mode, tls: true });
    const expected = name === 'REPLY_MODE_UNSPECIFIED' ? 'REPLY_MODE_SIMPLE' : name;
    const session = await gateway.sessionsApi.getSession({ name: 'sessions/a' });
    expect(session).toMatchObject({
      replyMode: gatewayV1.ReplyMode[expected as 'REPLY_MODE_SIMPLE'],
      tls: true,
    });
  },
);

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
