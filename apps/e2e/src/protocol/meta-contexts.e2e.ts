import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { listSessions } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { askOption, greet, readOptionReplies } from './conversation.js';
import type { RawClient } from './raw-client.js';
import { ExportFlag, Opt, Rep } from './spec-numbers.js';
import { contextData, go, option } from './wire.js';
import { serving } from './serving.js';

const suite = serving();

/** The names of the contexts in an answer, and the type that ended it. */
async function contexts(client: RawClient, code: number, name: string, ...queries: readonly string[]) {
  client.send(option(code, contextData(name, ...queries)));
  const replies = await readOptionReplies(client);
  const found = replies.filter(({ type }) => type === Rep.META_CONTEXT);
  return {
    names: found.map(({ data }) => data.subarray(4).toString()),
    ids: found.map(({ data }) => data.readUInt32BE(0)),
    end: replies.at(-1)?.type,
  };
}

/** A client that has asked for this. */
async function asked(transport: (typeof transports)[number], ...options: readonly number[]) {
  const client = await suite.connect(transport);
  await greet(client);
  for (const code of options) expect((await askOption(client, option(code))).type).toBe(Rep.ACK);
  return client;
}

describe.each(transports)('metadata contexts over %s', (transport) => {
  it('N9 need structured replies or extended headers', async () => {
    for (const code of [Opt.LIST_META_CONTEXT, Opt.SET_META_CONTEXT]) {
      const client = await asked(transport);
      const refused = await contexts(client, code, 'disk.img', 'base:allocation');
      expect(refused).toEqual({ names: [], ids: [], end: Rep.ERR_INVALID });
      for (const first of [Opt.STRUCTURED_REPLY, Opt.EXTENDED_HEADERS]) {
        const able = await asked(transport, first);
        const told = await contexts(able, code, 'disk.img', 'base:allocation');
        expect(told).toMatchObject({ names: ['base:allocation'], end: Rep.ACK });
      }
    }
  });

  it('N9 are listed by wildcard, and not selected by it', async () => {
    const client = await asked(transport, Opt.STRUCTURED_REPLY);
    const all = await contexts(client, Opt.LIST_META_CONTEXT, 'disk.img');
    expect(all.names).toContain('base:allocation');
    const base = await contexts(client, Opt.LIST_META_CONTEXT, 'disk.img', 'base:', 'x-unknown:');
    expect(base).toMatchObject({ names: ['base:allocation'], end: Rep.ACK });
    for (const queries of [[], ['base:'], ['x-unknown:leaf'], ['base:unknown']]) {
      const selected = await contexts(client, Opt.SET_META_CONTEXT, 'disk.img', ...queries);
      expect(selected).toEqual({ names: [], ids: [], end: Rep.ACK });
    }
  });

  it('N9 of an export that is not there are ERR_UNKNOWN, and nothing is selected then', async () => {
    const client = await asked(transport, Opt.EXTENDED_HEADERS);
    await contexts(client, Opt.SET_META_CONTEXT, 'disk.img', 'base:allocation');
    const missing = await contexts(client, Opt.SET_META_CONTEXT, 'missing', 'base:allocation');
    expect(missing.end).toBe(Rep.ERR_UNKNOWN);
    client.send(go('disk.img'));
    const [info] = await readOptionReplies(client);
    expect((info?.data.readUInt16BE(10) ?? 0) & ExportFlag.BLOCK_STATUS_PAYLOAD).toBe(0);
  });

  it.each([
    [Opt.STRUCTURED_REPLY, 2, ExportFlag.SEND_DF],
    [Opt.EXTENDED_HEADERS, 3, ExportFlag.SEND_DF | ExportFlag.BLOCK_STATUS_PAYLOAD],
  ])(
    'N9 N11 option %i: what was selected is announced by GO, and shown of the session',
    async (code, replyMode, flags) => {
      const client = await asked(transport, code);
      const { ids } = await contexts(client, Opt.SET_META_CONTEXT, 'disk.img', 'base:allocation');
      client.send(go('disk.img'));
      const [info] = await readOptionReplies(client);
      const announced = info?.data.readUInt16BE(10) ?? 0;
      expect(announced & (ExportFlag.SEND_DF | ExportFlag.BLOCK_STATUS_PAYLOAD)).toBe(flags);
      const [session] = await eventually('the session', async () => {
        const sessions = await listSessions(suite.holdfast);
        return sessions.length === 1 && sessions[0]?.engine !== '' && sessions;
      });
      expect(session).toMatchObject({
        replyMode,
        metaContexts: [{ id: ids[0], name: 'base:allocation' }],
        tls: false,
      });
    },
  );
});
