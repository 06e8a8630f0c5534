import { Buffer } from 'node:buffer';
import { scriptedServer } from '@holdfast/nbd-client/testing/scripted-server';
import { chunk, fields, greeting, optionReply } from '@holdfast/nbd-client/testing/wire';
import { Command, Option } from '@holdfast/nbd-protocol';
import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { shownText } from './wire/bytes.js';
import { modelOf } from './testing/model-export.js';
import { serveModel } from './testing/model-server.js';

const answerMs = 200;

describe('T19 a check of a hostile server comes to an end', () => {
  it.each([
    ['says nothing', Buffer.alloc(0)],
    ['is no NBD server', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
    ['announces an option reply of 4 GiB', Buffer.concat([greeting(), hugeOptionReply()])],
    ['sends what nobody asked for', Buffer.concat([greeting(), Buffer.alloc(4 * 1024 * 1024)])],
  ])('when it %s', async (_what, bytes) => {
    const { uri } = await scriptedServer(async (peer) => {
      peer.write(bytes);
      await peer.closed();
    });
    await expect(check(uri, { answerMs })).rejects.toMatchObject({ code: 'NBD_PROTOCOL_VIOLATION' });
  });

  it('when it lists exports without end', async () => {
    const one = optionReply(Option.LIST, 2, fields([32, 1], 'x'));
    const many = Buffer.concat(Array<Buffer>(11_000).fill(one));
    const uri = await serveModel(
      modelOf({ faults: { option: ({ code }) => (code === Option.LIST ? many : undefined) } }),
    );
    const { verdicts } = await check(uri, { rules: ['N4'], answerMs });
    expect(verdicts[0]).toMatchObject({ outcome: 'broken' });
  });

  it.each([0xffff_ffff, 2 ** 40])('when it announces chunks of %i bytes', async (length) => {
    const uri = await serveModel(
      modelOf({
        faults: {
          request: ({ type, extended, cookie, offset }) => {
            if (type !== Command.READ) return undefined;
            const header = chunk({ extended, cookie, offset }, 1, 0);
            if (extended) header.writeBigUInt64BE(BigInt(length), 24);
            else header.writeUInt32BE(length >>> 0, 16);
            return header;
          },
        },
      }),
    );
    const { verdicts } = await check(uri, { rules: ['T9'], answerMs });
    const extended = verdicts.find(({ mode }) => mode === 'extended');
    expect(JSON.stringify(extended)).toContain(`announces ${length} bytes more`);
  });

  it('when it sends chunks without end', async () => {
    const uri = await serveModel(
      modelOf({
        faults: {
          request: ({ type, extended, cookie, offset }, { mode }) => {
            if (type !== Command.READ || mode === 'simple') return undefined;
            return Buffer.concat(
              Array<Buffer>(70_000).fill(chunk({ extended, cookie, offset }, 1, 0, Buffer.alloc(9))),
            );
          },
        },
      }),
    );
    const { verdicts } = await check(uri, { rules: ['T8'], answerMs: 5_000 });
    expect(JSON.stringify(verdicts)).toContain('more than 65537 chunks');
  });

  it('when it dies in the midst of it; what was broken before is told', async () => {
    const uri = await serveModel(modelOf({ faults: { diesOf: ({ type }) => type === Command.CACHE } }));
    const { verdicts } = await check(uri, { rules: ['T2', 'T16'], answerMs });
    expect(verdicts.map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ['T2', 'broken'],
      ['T2', 'not tried'],
      ['T2', 'not tried'],
      ...Array<string[]>(3).fill(['T16', 'not tried']),
    ]);
    expect(verdicts[0]).toMatchObject({ outcome: 'broken', strength: 'MUST' });
  });
});

it('a check that is ended by its signal tells what it has', async () => {
  const uri = await serveModel(modelOf());
  const stop = new AbortController();
  const { verdicts } = await check(uri, {
    answerMs,
    signal: stop.signal,
    onVerdict: ({ rule }) => {
      if (rule === 'N3') stop.abort();
    },
  });
  expect(verdicts.map(({ rule }) => rule)).toEqual(['N1', 'N2', 'N3']);
});

it('what was overwritten and cannot be written back is told', async () => {
  const refuseAfter = { count: 0 };
  const uri = await serveModel(
    modelOf({
      faults: {
        diesOf: ({ type }) => type === Command.WRITE_ZEROES && ++refuseAfter.count > 1,
      },
    }),
  );
  let overwritten = 0;
  const { notRestored } = await check(uri, {
    rules: ['T14'],
    write: true,
    answerMs,
    onRegion: (_region, saved) => (overwritten = saved.length),
  });
  expect(notRestored).toContain('no connection to the NBD server');
  expect(overwritten).toBe(65_536);
});

it.each([
  ['a rule that there is not', { rules: ['N13'] }, 'INVALID_ARGUMENT'],
  ['writing to an export that is too small', { write: true }, 'NBD_REQUEST_INVALID'],
])('%s is refused', async (_what, options, code) => {
  const uri = await serveModel(modelOf({ image: Buffer.alloc(4096) }));
  await expect(check(uri, { answerMs, ...options })).rejects.toMatchObject({ code });
});

it('an export that is not there is told as such', async () => {
  const uri = await serveModel(modelOf());
  await expect(check(uri.replace('/disk?', '/none?'), { answerMs })).rejects.toMatchObject({
    code: 'NBD_OPTION_REFUSED',
    message: expect.stringContaining('NBD_REP_ERR_UNKNOWN') as string,
  });
});

it('text of a server is shown without what a terminal would take for a command', () => {
  expect(shownText('a\u001b[2Jb\u202e')).toBe('a\ufffd[2Jb\ufffd');
  expect(shownText('x'.repeat(1000))).toHaveLength(201);
});

function hugeOptionReply(): Buffer {
  const reply = optionReply(Option.GO, 3);
  reply.writeUInt32BE(0xffff_ffff, 16);
  return reply;
}
