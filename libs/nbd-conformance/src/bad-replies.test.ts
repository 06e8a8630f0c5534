import { Buffer } from 'node:buffer';
import type { ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import { blockStatus, chunk, DONE, none, offsetData, simpleReply } from '@holdfast/nbd-client/testing/wire';
import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { describe, it } from 'vitest';
import { chunkedModes } from './probe.js';
import { answering, framing, half } from './testing/bad-answers.js';
import { expectBroken, type BadServer } from './testing/expect-broken.js';

const badServers: BadServer[] = [
  {
    rule: 'T8',
    does: 'refuses a READ by a simple reply',
    faults: answering(Command.READ, (request) =>
      request.flags >= 0x8000 ? simpleReply(request.cookie, NbdError.EINVAL) : undefined,
    ),
    got: /a simple reply/,
    strength: 'MUST',
    modes: chunkedModes,
  },
  {
    rule: 'T8',
    does: 'answers FLUSH by a simple reply',
    faults: answering(Command.FLUSH, ({ cookie }) => simpleReply(cookie)),
    got: /a simple reply/,
    strength: 'MUST',
    modes: ['extended'],
  },
  {
    rule: 'T8',
    does: 'sends chunks that nobody negotiated',
    write: false,
    faults: answering(Command.READ, (request, { mode }) =>
      mode === 'simple' ? none(framing(request)) : undefined,
    ),
    got: /a chunk of the structured form/,
    strength: 'MUST',
    modes: ['simple'],
  },
  ...(
    [
      [
        'sends chunks outside the request',
        /outside the request/,
        (request) =>
          offsetData(framing(request), request.offset + 1n, Buffer.alloc(Number(request.length)), DONE),
      ],
      [
        'sends chunks that overlap',
        /overlaps/,
        (request) =>
          Buffer.concat([
            offsetData(framing(request), request.offset, Buffer.alloc(Number(request.length))),
            offsetData(framing(request), request.offset, half(request.length + 2n), DONE),
          ]),
      ],
      [
        'leaves a part of the data out',
        /cover \d+ bytes of/,
        (request) =>
          request.length < 2n
            ? undefined
            : offsetData(framing(request), request.offset, half(request.length & ~1n), DONE),
      ],
      [
        'ends with NONE that is not DONE',
        /NONE without DONE/,
        (request) =>
          Buffer.concat([
            chunk(framing(request), 0, 0),
            offsetData(framing(request), request.offset, Buffer.alloc(Number(request.length)), DONE),
          ]),
      ],
      [
        'sends other data than in simple mode',
        /other data/,
        (request) =>
          offsetData(framing(request), request.offset, Buffer.alloc(Number(request.length), 0xee), DONE),
      ],
      [
        'fragments in spite of DF',
        /2 content chunks/,
        ({ flags, ...request }) =>
          (flags & CommandFlag.DF) === 0 || request.length < 2n || request.length % 2n !== 0n
            ? undefined
            : Buffer.concat([
                offsetData(framing({ flags, ...request }), request.offset, half(request.length)),
                offsetData(
                  framing({ flags, ...request }),
                  request.offset + request.length / 2n,
                  half(request.length),
                  DONE,
                ),
              ]),
      ],
    ] as [string, RegExp, (request: ArrivedRequest) => Buffer | undefined][]
  ).map(([does, got, answer]): BadServer => ({
    rule: 'T9',
    does,
    got,
    faults: answering(Command.READ, (request, { mode }) => (mode === 'simple' ? undefined : answer(request))),
    strength: 'MUST',
    modes: chunkedModes,
  })),
  ...(
    [
      ['describes nothing', /an extent of length 0/, 'MUST', () => [[0n, 0n]]],
      [
        'has an extent behind the request',
        /before the last extent/,
        'MUST',
        ({ length }) => [
          [length, 0n],
          [length, 1n],
        ],
      ],
      ['has flags of its own', /flags 8/, 'SHOULD', ({ length }) => [[length, 8n]]],
      [
        'does not merge',
        /the same flags/,
        'SHOULD',
        ({ length, flags }) =>
          flags === CommandFlag.REQ_ONE
            ? [[length, 3n]]
            : [
                [1n, 3n],
                [length - 1n, 3n],
              ],
      ],
      [
        'describes more than one',
        /2 extents/,
        'MUST',
        ({ length, flags }) =>
          flags === 8
            ? [
                [1n, 3n],
                [length - 1n, 0n],
              ]
            : [[length, 0n]],
      ],
      ['describes one beyond the request', /an extent of/, 'MUST', ({ length }) => [[length + 512n, 0n]]],
    ] as [string, RegExp, 'MUST' | 'SHOULD', (request: ArrivedRequest) => [bigint, bigint][]][]
  ).map(([does, got, strength, extents]): BadServer => ({
    rule: 'T11',
    does,
    got,
    strength,
    faults: answering(Command.BLOCK_STATUS, (request, { contextId }) =>
      contextId === undefined
        ? undefined
        : Buffer.concat([blockStatus(framing(request), contextId, extents(request)), none(framing(request))]),
    ),
    modes: chunkedModes,
  })),
  {
    rule: 'T11',
    does: 'answers without a context',
    faults: answering(Command.BLOCK_STATUS, (request) => none(framing(request))),
    got: /success/,
    strength: 'MUST',
    modes: chunkedModes,
  },
  {
    rule: 'T11',
    does: 'describes a context that was not selected',
    faults: answering(Command.BLOCK_STATUS, (request, { contextId }) =>
      contextId === undefined ? undefined : blockStatus(framing(request), 99, [[request.length, 0n]], DONE),
    ),
    got: /a chunk of context 99/,
    strength: 'MUST',
    modes: chunkedModes,
  },
  {
    rule: 'T12',
    does: 'does not echo the offset',
    faults: answering(Command.READ, (request, _state, good) => {
      const other = Buffer.from(good);
      if (request.extended) other.writeBigUInt64BE(0n, 16);
      return other;
    }),
    got: /offset 0, not/,
    strength: 'MUST',
    modes: ['extended'],
  },
  {
    rule: 'T12',
    does: 'uses the upper flags of base:',
    faults: answering(Command.BLOCK_STATUS, (request, { contextId }) =>
      contextId === undefined
        ? undefined
        : blockStatus(framing(request), contextId, [[request.length, 1n << 32n]], DONE),
    ),
    got: /flags 4294967296/,
    strength: 'MUST',
    modes: ['extended'],
  },
  {
    rule: 'T12',
    does: 'takes any filter',
    faults: answering(Command.BLOCK_STATUS, (request, { contextId }) =>
      contextId !== undefined && request.payload.length > 0
        ? blockStatus(framing(request), contextId, [[1n, 0n]], DONE)
        : undefined,
    ),
    got: /success/,
    strength: 'MUST',
    modes: ['extended'],
  },
];

describe('a server is told what it breaks', () => {
  it.each(badServers)('$rule: one that $does', expectBroken);
});
