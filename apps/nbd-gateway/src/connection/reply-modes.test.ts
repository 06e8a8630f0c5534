import { workerV1 } from '@holdfast/contracts';
import {
  encodeInfoRequest,
  encodeMetaContextRequest,
  InfoType,
  Option,
  OptionReplyType,
  parseInfoBlockSize,
  parseInfoExport,
  parseRepMetaContext,
  TransmissionFlag,
} from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient } from '../testing/handshake-client.js';
import { DEVICE_BYTES } from '../testing/recording-registry.js';

const { ACK, ERR_BLOCK_SIZE_REQD, ERR_UNKNOWN, META_CONTEXT } = OptionReplyType;
const { REPLY_MODE_SIMPLE, REPLY_MODE_STRUCTURED, REPLY_MODE_EXTENDED } = workerV1.ReplyMode;

const connect = (gateway: TestGateway) => HandshakeClient.connect({ path: gateway.layout.nbdSocket });

/** Asks for the contexts of an export. @returns the names that came, and what ended the answer */
async function contexts(
  client: HandshakeClient,
  option: number,
  exportName: string,
  ...queries: readonly string[]
): Promise<{ names: string[]; type: number | undefined }> {
  const replies = await client.ask(option, encodeMetaContextRequest({ exportName, queries }));
  const names = replies
    .filter(({ type }) => type === META_CONTEXT)
    .map(({ data }) => {
      const context = parseRepMetaContext(data);
      return context === 'malformed' ? context : context.name;
    });
  return { names, type: replies.at(-1)?.type };
}

/** What GO tells of an export, and the session that the worker is asked for. */
async function enter(gateway: TestGateway, client: HandshakeClient, exportName = 'disk') {
  const infoTypes = new Set([InfoType.BLOCK_SIZE]);
  const replies = await client.ask(Option.GO, encodeInfoRequest({ exportName, infoTypes }));
  expect(replies.at(-1)?.type).toBe(ACK);
  const [facts, sizes] = replies.map(({ data }) => data);
  const session = [...gateway.worker.sessions.values()].at(-1);
  return {
    facts: parseInfoExport(facts ?? new Uint8Array()),
    blockSize: parseInfoBlockSize(sizes ?? new Uint8Array()),
    session,
  };
}

async function serving(): Promise<TestGateway> {
  const gateway = await TestGateway.start();
  await gateway.publish('disk');
  return gateway;
}

describe('what a client negotiated goes to the worker', () => {
  test.each([
    ['nothing', [], REPLY_MODE_SIMPLE, 0],
    ['structured replies', [Option.STRUCTURED_REPLY], REPLY_MODE_STRUCTURED, TransmissionFlag.SEND_DF],
    ['extended headers', [Option.EXTENDED_HEADERS], REPLY_MODE_EXTENDED, TransmissionFlag.SEND_DF],
    [
      'both',
      [Option.STRUCTURED_REPLY, Option.EXTENDED_HEADERS],
      REPLY_MODE_EXTENDED,
      TransmissionFlag.SEND_DF,
    ],
  ])('N11 %s', async (_name, options, replyMode, flags) => {
    const gateway = await serving();
    const client = await connect(gateway);
    for (const option of options) expect((await client.ask(option)).at(-1)?.type).toBe(ACK);
    const { facts, session } = await enter(gateway, client);
    expect(session).toMatchObject({ replyMode, metaContexts: [], tls: false });
    const { SEND_DF, BLOCK_STATUS_PAYLOAD } = TransmissionFlag;
    expect(facts !== 'malformed' && facts.transmissionFlags & (SEND_DF | BLOCK_STATUS_PAYLOAD)).toBe(flags);
  });

  test('N9 the contexts that it selected, under their ids', async () => {
    const gateway = await serving();
    const client = await connect(gateway);
    await client.ask(Option.EXTENDED_HEADERS);
    const selected = await contexts(
      client,
      Option.SET_META_CONTEXT,
      'disk',
      'base:allocation',
      'x-other:thing',
    );
    expect(selected).toEqual({ names: ['base:allocation'], type: ACK });
    const { facts, session } = await enter(gateway, client);
    expect(session?.metaContexts).toEqual([{ id: 1, name: 'base:allocation' }]);
    expect(facts).toMatchObject({
      transmissionFlags: expect.toSatisfy(
        (flags: number) => (flags & TransmissionFlag.BLOCK_STATUS_PAYLOAD) !== 0,
      ) as number,
    });
  });

  test('N9 no contexts that it selected for another export', async () => {
    const gateway = await serving();
    await gateway.publish('other');
    const client = await connect(gateway);
    await client.ask(Option.STRUCTURED_REPLY);
    await contexts(client, Option.SET_META_CONTEXT, 'other', 'base:allocation');
    expect((await enter(gateway, client)).session?.metaContexts).toEqual([]);
  });
});

describe('the contexts of an export', () => {
  test('N9 are listed, all or by query', async () => {
    const gateway = await serving();
    const client = await connect(gateway);
    await client.ask(Option.STRUCTURED_REPLY);
    const { LIST_META_CONTEXT } = Option;
    expect((await contexts(client, LIST_META_CONTEXT, 'disk')).names).toContain('base:allocation');
    expect((await contexts(client, LIST_META_CONTEXT, 'disk', 'base:')).names).toEqual(['base:allocation']);
  });

  test('N12 that is not there are ERR_UNKNOWN', async () => {
    const client = await connect(await serving());
    await client.ask(Option.STRUCTURED_REPLY);
    expect(await contexts(client, Option.LIST_META_CONTEXT, 'tape')).toEqual({
      names: [],
      type: ERR_UNKNOWN,
    });
  });
});

describe('T5 the block sizes of an export', () => {
  const blockSize = { minimum: 65_536, preferred: 131_072, payloadMaximum: 1024 * 1024, required: false };

  test('are told, and go to the worker', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk', { blockSize });
    const told = await enter(gateway, await connect(gateway));
    expect(told.blockSize).toEqual({ minimum: 65_536, preferred: 131_072, payloadMaximum: 1024 * 1024 });
    expect(told.session).toMatchObject({ blockSizeMinimum: 65_536, payloadMaximum: 1024 * 1024 });
  });

  test('leave what is behind the last whole block unannounced', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk', { blockSize });
    gateway.registry.sizeBytes = DEVICE_BYTES + 65_535n;
    const client = await connect(gateway);
    const info = await client.ask(
      Option.INFO,
      encodeInfoRequest({ exportName: 'disk', infoTypes: new Set() }),
    );
    expect(parseInfoExport(info[0]?.data ?? new Uint8Array())).toMatchObject({ sizeBytes: DEVICE_BYTES });
    expect((await enter(gateway, client)).facts).toMatchObject({ sizeBytes: DEVICE_BYTES });
  });

  test('may have to be asked for: who does not is told them and refused, without a lease', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk', { blockSize: { ...blockSize, required: true } });
    const client = await connect(gateway);
    for (const option of [Option.INFO, Option.GO]) {
      const replies = await client.ask(
        option,
        encodeInfoRequest({ exportName: 'disk', infoTypes: new Set() }),
      );
      expect(replies.at(-1)?.type).toBe(ERR_BLOCK_SIZE_REQD);
      expect(parseInfoBlockSize(replies[0]?.data ?? new Uint8Array())).toMatchObject({ minimum: 65_536 });
    }
    expect(gateway.registry.calls).toEqual([]);
    await enter(gateway, client);
  });
});
