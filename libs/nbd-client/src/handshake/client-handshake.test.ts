import { HoldfastError } from '@holdfast/foundation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NbdOptionError } from '../errors/option-error.js';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { feed, greeted, steps } from '../testing/handshake-scene.js';
import { fields, greeting, infoBlockSize, infoExport, optionReply } from '../testing/wire.js';
import { ClientHandshake } from './client-handshake.js';
import type { OptionExchange } from './option-exchange.js';
import { infoOption } from './options/info.js';
import { listOption } from './options/list.js';
import { listMetaContextOption, setMetaContextOption } from './options/meta-context.js';
import { plainOption } from './options/plain-option.js';

const ACK = 1;
const SERVER = 2;
const INFO = 3;
const META_CONTEXT = 4;
const HAS_FLAGS = 1;

/** The code or violation by which something was refused. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof NbdProtocolError) return error.violation;
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** Asks and answers. @returns the result, or how it was refused */
function converse<Result>(
  exchange: OptionExchange<Result>,
  ...replies: readonly Uint8Array[]
): Result | string {
  const machine = greeted();
  machine.ask(exchange);
  try {
    const [step] = feed(machine, Buffer.concat(replies));
    if (step?.kind === 'refused') return step.error.replyName;
    if (step?.kind !== 'accepted') return 'waiting';
    return exchange.finish();
  } catch (error) {
    return refusal(() => {
      throw error;
    });
  }
}

test.each([
  [3, 3],
  [1, 1],
  [0xffff, 3],
])(
  'N2 handshake flags %i are answered by client flags %i: no flag that the server did not set',
  (offered, answered) => {
    const [step] = feed(new ClientHandshake(), greeting(offered));
    expect(step).toEqual({ kind: 'greeted', bytes: fields([32, answered]) });
  },
);

test.each([
  ['oldstyle', fields('NBDMAGIC', [64, 0x00420281861253n]), 'NBD_SERVER_TOO_OLD'],
  ['newstyle that is not fixed', greeting(2), 'NBD_SERVER_TOO_OLD'],
  ['a web server', Buffer.from('HTTP/1.1 400'), 'not-nbd'],
  ['one wrong byte', Buffer.from('NBDX'), 'not-nbd'],
  ['a wrong second word', fields('NBDMAGIC', 'IHAVEOPX', [16, 3]), 'not-nbd'],
])('%s is told by name, as soon as it can be known', (_what, bytes, name) => {
  expect(refusal(() => feed(new ClientHandshake(), bytes))).toBe(name);
});

test('an option goes out as the specification has it', () => {
  expect(greeted().ask(plainOption('STRUCTURED_REPLY'))).toEqual(fields('IHAVEOPT', [32, 8], [32, 0]));
  expect(greeted().ask(infoOption('GO', 'dïsk'))).toEqual(
    fields('IHAVEOPT', [32, 7], [32, 17], [32, 5], 'dïsk', [16, 3], [16, 1], [16, 2], [16, 3]),
  );
  expect(greeted().ask(setMetaContextOption('d', ['a:b']))).toEqual(
    fields('IHAVEOPT', [32, 10], [32, 16], [32, 1], 'd', [32, 1], [32, 3], 'a:b'),
  );
});

test('N4 LIST gives names and descriptions', () => {
  expect(
    converse(
      listOption(),
      optionReply(3, SERVER, fields([32, 1], 'a')),
      optionReply(3, SERVER, fields([32, 1], 'bB')),
      optionReply(3, ACK),
    ),
  ).toEqual([
    { name: 'a', description: '' },
    { name: 'b', description: 'B' },
  ]);
});

test('N5 INFO gives everything that came, in any order, and ignores what it does not know', () => {
  expect(
    converse(
      infoOption('INFO', 'd'),
      optionReply(6, INFO, infoBlockSize(512, 4096, 1 << 25)),
      optionReply(6, INFO, fields([16, 4711], 'whatever')),
      optionReply(6, INFO, fields([16, 2], 'a disk')),
      optionReply(6, INFO, infoExport(1n << 60n, HAS_FLAGS | 2)),
      optionReply(6, INFO, fields([16, 1], 'disk')),
      optionReply(6, ACK),
    ),
  ).toEqual({
    name: 'd',
    canonicalName: 'disk',
    description: 'a disk',
    sizeBytes: 1n << 60n,
    transmissionFlags: 3,
    blockSize: { minimum: 512, preferred: 4096, payloadMaximum: 1 << 25 },
  });
});

test('N9 contexts come with their ids, of a list without', () => {
  const reply = (option: number) => [
    optionReply(option, META_CONTEXT, fields([32, 0xffff_ffff], 'base:allocation')),
    optionReply(option, META_CONTEXT, fields([32, 0], 'x:y')),
    optionReply(option, ACK),
  ];
  expect(converse(setMetaContextOption('d', []), ...reply(10))).toEqual([
    { id: 0xffff_ffff, name: 'base:allocation' },
    { id: 0, name: 'x:y' },
  ]);
  expect(converse(listMetaContextOption('d', []), ...reply(9))).toEqual(['base:allocation', 'x:y']);
});

const go = () => infoOption('GO', 'd');
const soundExport = optionReply(7, INFO, infoExport(1, HAS_FLAGS));
const refusals: readonly (readonly [string, string, OptionExchange<unknown>, readonly Uint8Array[]])[] = [
  ['no option reply', 'bad-option-reply', go(), [Buffer.alloc(20)]],
  ['a reply to another option', 'bad-option-reply', go(), [optionReply(6, ACK)]],
  ['a reply of another kind', 'unexpected-option-reply', go(), [optionReply(7, SERVER, fields([32, 0]))]],
  ['a reply of an unknown kind', 'unexpected-option-reply', listOption(), [optionReply(3, 9)]],
  ['an ACK with data', 'unexpected-option-reply', listOption(), [optionReply(3, ACK, 'x')]],
  [
    'anything but ACK for a plain option',
    'unexpected-option-reply',
    plainOption('STRUCTURED_REPLY'),
    [optionReply(8, INFO)],
  ],
  ['success without the export', 'missing-export-info', go(), [optionReply(7, ACK)]],
  ['an info that is too short', 'malformed-option-reply', go(), [optionReply(7, INFO, 'x')]],
  [
    'an export info of a wrong length',
    'malformed-option-reply',
    go(),
    [optionReply(7, INFO, fields([16, 0], [64, 1]))],
  ],
  [
    'a listing beyond its reply',
    'malformed-option-reply',
    listOption(),
    [optionReply(3, SERVER, fields([32, 2], 'a'))],
  ],
  [
    'a context without an id',
    'malformed-option-reply',
    setMetaContextOption('d', []),
    [optionReply(10, META_CONTEXT, 'x')],
  ],
  [
    'two contexts of one id',
    'malformed-option-reply',
    setMetaContextOption('d', []),
    [
      optionReply(10, META_CONTEXT, fields([32, 1], 'a:b')),
      optionReply(10, META_CONTEXT, fields([32, 1], 'a:c')),
      optionReply(10, ACK),
    ],
  ],
  ['flags that are none', 'missing-has-flags', go(), [optionReply(7, INFO, infoExport(1, 2))]],
  [
    'a minimum that is no power of two',
    'bad-block-size',
    go(),
    [optionReply(7, INFO, infoBlockSize(3, 4096, 1 << 25))],
  ],
  [
    'a minimum above 64 KiB',
    'bad-block-size',
    go(),
    [optionReply(7, INFO, infoBlockSize(1 << 17, 1 << 17, 1 << 25))],
  ],
  ['a minimum of 0', 'bad-block-size', go(), [optionReply(7, INFO, infoBlockSize(0, 4096, 1 << 25))]],
  [
    'a preferred size below 512',
    'bad-block-size',
    go(),
    [optionReply(7, INFO, infoBlockSize(1, 256, 1 << 25))],
  ],
  [
    'a preferred size below the minimum',
    'bad-block-size',
    go(),
    [optionReply(7, INFO, infoBlockSize(4096, 2048, 1 << 25))],
  ],
  [
    'a payload below the preferred size',
    'bad-block-size',
    go(),
    [optionReply(7, INFO, infoBlockSize(1, 4096, 4095))],
  ],
  [
    'bytes after the answer',
    'bytes-out-of-turn',
    infoOption('INFO', 'd'),
    [optionReply(6, INFO, infoExport(1, 1)), optionReply(6, ACK), Buffer.alloc(1)],
  ],
  [
    'plaintext behind the agreement to TLS',
    'plaintext-after-starttls',
    plainOption('STARTTLS'),
    [optionReply(5, ACK), Buffer.alloc(1)],
  ],
];
for (const [what, name, exchange, replies] of refusals) {
  test(`N5 N7 N9 T5 T18 ${what} ends the handshake: ${name}`, () => {
    expect(converse(exchange, ...replies)).toBe(name);
  });
}

test('T19 an option reply is refused by its header if its data would be longer than any may be', () => {
  const header = (length: number) => {
    const bytes = optionReply(3, SERVER);
    bytes.writeUInt32BE(length, 16);
    return bytes;
  };
  expect(converse(listOption(), header(4 + 4096 + 4096))).toBe('waiting');
  expect(converse(listOption(), header(4 + 4096 + 4096 + 1))).toBe('option-reply-too-long');
});

test('T19 the parts of an answer are counted', () => {
  const many = (count: number, reply: Uint8Array) => Array.from({ length: count }, () => reply);
  const listing = optionReply(3, SERVER, fields([32, 0]));
  expect(converse(listOption(), ...many(10_000, listing), optionReply(3, ACK))).toHaveLength(10_000);
  expect(converse(listOption(), ...many(10_001, listing))).toBe('too-many-option-replies');
  expect(converse(go(), ...many(65, soundExport))).toBe('too-many-option-replies');
  const listed = optionReply(9, META_CONTEXT, fields([32, 0], 'a:b'));
  expect(converse(listMetaContextOption('d', []), ...many(4097, listed))).toBe('too-many-option-replies');
  const selected = optionReply(10, META_CONTEXT, fields([32, 0], 'a:b'));
  expect(converse(setMetaContextOption('d', []), ...many(65, selected))).toBe('too-many-option-replies');
});

test('an error reply refuses with its name and words, and the next option may be asked', () => {
  const machine = greeted();
  machine.ask(go());
  const [step] = feed(machine, soundExport, optionReply(7, 0x8000_0006, 'no "d"\u001b[31m'));
  expect(step?.kind === 'refused' && step.error).toBeInstanceOf(NbdOptionError);
  expect(step).toMatchObject({
    error: {
      replyName: 'ERR_UNKNOWN',
      option: 'GO',
      serverMessage: 'no "d"\u001b[31m',
      message: 'the NBD server refused GO (NBD_REP_ERR_UNKNOWN): it has no such export; it says: no "d" [31m',
    },
  });
  expect(machine.phase).toBe('options');
  expect(converse(listOption(), optionReply(3, 0x8000_4711))).toBe('ERR_OTHER');
});

test('N3 EXPORT_NAME: with NO_ZEROES 10 bytes, without it 134, and then it is transmission', () => {
  for (const [flags, padding] of [
    [3, 0],
    [1, 124],
  ] as const) {
    const machine = greeted(flags);
    expect(machine.askExportName('d')).toEqual(fields('IHAVEOPT', [32, 1], [32, 1], 'd'));
    const answer = Buffer.concat([fields([64, 4096], [16, 3]), Buffer.alloc(padding), Buffer.from('rest')]);
    expect(feed(machine, answer.subarray(0, 9 + padding))).toEqual([]);
    expect(feed(machine, answer.subarray(9 + padding))).toEqual([
      { kind: 'export', facts: { sizeBytes: 4096n, transmissionFlags: 3 } },
    ]);
    expect(machine.phase).toBe('transmission');
    expect(machine.takeRemainder().toString()).toBe('rest');
  }
  const machine = greeted();
  machine.askExportName('d');
  expect(refusal(() => feed(machine, fields([64, 4096], [16, 2])))).toBe('missing-has-flags');
});

test('N3 what follows GO belongs to transmission', () => {
  const machine = greeted();
  machine.ask(go());
  feed(machine, Buffer.concat([soundExport, optionReply(7, ACK), Buffer.from('rest')]));
  expect(machine.phase).toBe('transmission');
  expect(machine.takeRemainder().toString()).toBe('rest');
});

test('one option is asked at a time', () => {
  const machine = greeted();
  machine.ask(listOption());
  expect(() => machine.ask(listOption())).toThrow(
    'a handshake goes from awaiting-replies to awaiting-replies',
  );
});

/** A whole handshake, from the greeting to GO, as bytes and as what each is the answer to. */
const CONVERSATION = Buffer.concat([
  greeting(),
  optionReply(11, 0x8000_0001, 'no such option'),
  optionReply(8, ACK),
  optionReply(10, META_CONTEXT, fields([32, 5], 'base:allocation')),
  optionReply(10, ACK),
  optionReply(7, INFO, infoExport(1 << 20, 0x1ded)),
  optionReply(7, INFO, infoBlockSize(1, 4096, 1 << 25)),
  optionReply(7, ACK),
  Buffer.from('transmission'),
]);

/** Runs it in the given pieces. */
function wholeHandshake(pieces: readonly Uint8Array[]): unknown {
  const questions = [
    () => plainOption('EXTENDED_HEADERS'),
    () => plainOption('STRUCTURED_REPLY'),
    () => setMetaContextOption('d', ['base:allocation']),
    () => infoOption('GO', 'd'),
  ];
  const machine = new ClientHandshake();
  const results: unknown[] = [];
  let asked: OptionExchange<unknown> | undefined;
  // A server that answers ahead of the questions would be out of turn, so each answer is held back until it was asked for.
  const ends = answerEnds();
  const held: Buffer[] = [];
  let fed = 0;
  const pump = () => {
    const stream = Buffer.concat(held);
    const allowed = Math.min(stream.length, ends[results.length] ?? CONVERSATION.length);
    if (allowed <= fed) return false;
    machine.push(stream.subarray(fed, allowed));
    fed = allowed;
    for (const step of steps(machine)) {
      results.push(
        step.kind === 'accepted' ? asked?.finish() : step.kind === 'refused' ? step.error.message : step,
      );
      asked = questions.shift()?.();
      if (asked !== undefined) machine.ask(asked);
    }
    return true;
  };
  for (const piece of pieces) {
    held.push(Buffer.from(piece));
    while (pump());
  }
  return [...results, machine.takeRemainder().toString()];
}

/** Where each answer ends; the last may be followed by anything. */
function answerEnds(): number[] {
  const ack = (option: number) => CONVERSATION.indexOf(optionReply(option, ACK)) + 20;
  return [18, 18 + 20 + 'no such option'.length, ack(8), ack(10)];
}

test('a handshake means the same wherever it is split', () => {
  const expected = wholeHandshake([CONVERSATION]);
  expect(expected).toHaveLength(6);
  for (let at = 0; at <= CONVERSATION.length; at += 1) {
    expect(wholeHandshake([CONVERSATION.subarray(0, at), CONVERSATION.subarray(at)])).toEqual(expected);
  }
  expect(wholeHandshake([...CONVERSATION].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
});

test('T19 whatever a server sends, it is understood or refused by name, and little of it is held', () => {
  const reply = fc
    .tuple(
      fc.constantFrom(3, 7, 10),
      fc.constantFrom(1, 2, 3, 4, 0x8000_0001),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([option, type, data]) => optionReply(option, type, data));
  const stream = fc.array(fc.oneof(reply, fc.uint8Array({ maxLength: 30 })), { maxLength: 6 });
  fc.assert(
    fc.property(stream, fc.constantFrom(0, 1, 2), (parts, which) => {
      const machine = greeted();
      machine.ask([listOption(), go(), setMetaContextOption('d', [])][which] ?? go());
      try {
        for (const part of parts) {
          feed(machine, part);
          if (machine.phase !== 'transmission' && machine.bufferedBytes > 8216)
            throw new Error('too much is held');
        }
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
