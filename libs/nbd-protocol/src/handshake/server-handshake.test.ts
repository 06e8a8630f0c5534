import { describe, expect, test } from 'vitest';
import { InfoType } from '../constants/info-types.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { HANDSHAKE_BYTES_MAX, OPTION_BYTES_MAX, OPTIONS_MAX } from '../limits.js';
import {
  clientFlags,
  converse,
  DISK,
  infoData,
  option,
  OWNER,
  repliesOf,
  replyTypesOf,
} from '../testing/conversation.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK, SERVER, INFO, ERR_UNSUP, ERR_POLICY, ERR_INVALID, ERR_UNKNOWN, ERR_TOO_BIG } = OptionReplyType;
const LIST = option(Option.LIST);

/** Flags of a client of today, then the options. */
function negotiate(...options: readonly Uint8Array[]) {
  return converse([Buffer.concat([clientFlags(), ...options])]);
}

describe('the beginning', () => {
  test('the greeting offers fixed newstyle and no zeroes', () => {
    const greeting = Buffer.from(new ServerHandshake().greeting());
    expect(greeting.toString('hex')).toBe('4e42444d41474943' + '49484156454f5054' + '0003');
  });

  test('N2 client flags that were not offered end the connection', () => {
    for (let bit = 2; bit < 32; bit += 1) {
      const { end, sent } = converse([clientFlags((3 | (1 << bit)) >>> 0), LIST]);
      expect(end).toBe('bad-client-flags');
      expect(sent).toHaveLength(0);
    }
  });

  test('N2 client flags that were offered are accepted', () => {
    for (const flags of [1, 3]) expect(converse([clientFlags(flags), LIST]).questions).toEqual(['list']);
  });

  test('N2 without C_FIXED_NEWSTYLE only EXPORT_NAME is legal', () => {
    for (const flags of [0, 2]) {
      for (const code of [Option.ABORT, Option.LIST, Option.INFO, Option.GO, 5, 99]) {
        const { end, sent } = converse([clientFlags(flags), option(code)]);
        expect(end).toBe('not-fixed-newstyle');
        expect(sent).toHaveLength(0);
      }
      const { end } = converse([clientFlags(flags), option(Option.EXPORT_NAME, 'disk')]);
      expect(end).toBe('transmission');
    }
  });

  test('what is no option ends the connection', () => {
    const wrong = option(Option.LIST);
    wrong[7] = 0;
    expect(negotiate(LIST, wrong)).toMatchObject({ end: 'bad-option-magic', questions: ['list'] });
  });
});

describe('unknown options', () => {
  test('N1 every other option is ERR_UNSUP, and the stream stays in sync', () => {
    for (const code of [0, 4, 5, 8, 9, 10, 11, 12, 0xffff_ffff]) {
      const { sent, questions } = negotiate(option(code, 'some data'), option(code), LIST);
      expect(replyTypesOf(sent).slice(0, 2)).toEqual([ERR_UNSUP, ERR_UNSUP]);
      expect(repliesOf(sent)[0]?.option).toBe(code);
      expect(questions).toEqual(['list']);
    }
  });

  test('N1 the data of an unknown option passes by without being kept', () => {
    const long = option(99, new Uint8Array(100_000));
    const chunks = Array.from({ length: 101 }, (_, index) => long.subarray(index * 1000, (index + 1) * 1000));
    const { sent, bufferedBytesMax } = converse([clientFlags(), ...chunks, LIST]);
    expect(replyTypesOf(sent)).toEqual([ERR_UNSUP, SERVER, SERVER, ACK]);
    expect(bufferedBytesMax).toBeLessThan(16);
  });

  test('N1 data that passes by is dropped as it is pushed', () => {
    const machine = new ServerHandshake();
    machine.push(Buffer.concat([clientFlags(), option(99, new Uint8Array(5000)).subarray(0, 100)]));
    machine.next();
    machine.push(new Uint8Array(4000));
    expect(machine.bufferedBytes).toBe(0);
  });
});

describe('EXPORT_NAME', () => {
  const facts = '0102030405060708' + '0025';

  test('N3 the answer has 124 zeroes unless C_NO_ZEROES', () => {
    const name = option(Option.EXPORT_NAME, 'disk');
    expect(converse([clientFlags(1), name]).sent.toString('hex')).toBe(facts + '00'.repeat(124));
    expect(converse([clientFlags(3), name]).sent.toString('hex')).toBe(facts);
  });

  test('N3 a refusal closes without a reply', () => {
    for (const name of ['missing', 'hidden', '']) {
      const { sent, end, questions } = negotiate(option(Option.EXPORT_NAME, name));
      expect({ length: sent.length, end, questions }).toEqual({
        length: 0,
        end: 'export-name-refused',
        questions: [`go ${name}`],
      });
    }
  });

  test('N3 refuse says that the connection closes', () => {
    const machine = new ServerHandshake();
    machine.push(Buffer.concat([clientFlags(), option(Option.EXPORT_NAME, 'x')]));
    expect(machine.next()).toEqual({ kind: 'go', exportName: 'x', via: 'export-name' });
    expect(machine.refuse('shutdown', 'stopping')).toEqual({ bytes: new Uint8Array(), close: true });
    expect(machine.next()).toEqual({ kind: 'close', reason: 'export-name-refused' });
  });

  test('N3 a name that is no string closes without a question', () => {
    for (const name of [Buffer.from([0xc3, 0x28]), Buffer.from('a\0b'), Buffer.alloc(4097, 'a')]) {
      const { end, sent, questions } = negotiate(option(Option.EXPORT_NAME, name));
      expect({ end, sent: sent.length, questions }).toEqual({
        end: 'bad-export-name',
        sent: 0,
        questions: [],
      });
    }
    expect(negotiate(option(Option.EXPORT_NAME, 'a'.repeat(4096))).questions).toHaveLength(1);
  });

  test('N3 a name longer than any string closes before it is read', () => {
    const header = option(Option.EXPORT_NAME, new Uint8Array(4097)).subarray(0, 16);
    expect(negotiate(header)).toMatchObject({ end: 'bad-export-name' });
  });
});

describe('LIST', () => {
  test('N4 every export is a SERVER, then comes the ACK', () => {
    expect(repliesOf(negotiate(LIST).sent)).toEqual([
      { option: 3, type: SERVER, data: '00000004' + Buffer.from('diska disk').toString('hex') },
      { option: 3, type: SERVER, data: '00000005' + Buffer.from('plain').toString('hex') },
      { option: 3, type: ACK, data: '' },
    ]);
  });

  test('N4 without exports there is only the ACK', () => {
    const { sent } = converse([clientFlags(), LIST], { ...OWNER, listings: [] });
    expect(replyTypesOf(sent)).toEqual([ACK]);
  });

  test('N4 LIST with data is ERR_INVALID, and the stream stays in sync', () => {
    const { sent, questions } = negotiate(option(Option.LIST, 'x'.repeat(20_000)), LIST);
    expect(replyTypesOf(sent)).toEqual([ERR_INVALID, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
  });

  test('N12 LIST may be refused', () => {
    const { sent, end } = converse([clientFlags(), LIST], { ...OWNER, listings: 'policy' });
    expect(repliesOf(sent)).toEqual([{ option: 3, type: ERR_POLICY, data: 'refused: policy' }]);
    expect(end).toBe('still open');
  });
});

describe.each([
  ['INFO', Option.INFO],
  ['GO', Option.GO],
])('%s', (_name, code) => {
  const infoExport = { option: code, type: INFO, data: '0000' + '0102030405060708' + '0025' };
  const ack = { option: code, type: ACK, data: '' };

  test('N5 EXPORT is always told, and never padded', () => {
    expect(repliesOf(negotiate(option(code, infoData('disk'))).sent)).toEqual([infoExport, ack]);
    const { sent } = converse([clientFlags(1), option(code, infoData('disk', InfoType.EXPORT))]);
    expect(repliesOf(sent)).toEqual([infoExport, ack]);
  });

  test('N5 what is asked for is told, what is unknown is ignored', () => {
    const { sent } = negotiate(option(code, infoData('disk', 3, 99, 2, 1, 0xffff, 3)));
    expect(repliesOf(sent)).toEqual([
      infoExport,
      { option: code, type: INFO, data: '0001' + Buffer.from('disk').toString('hex') },
      { option: code, type: INFO, data: '0002' + Buffer.from('a disk').toString('hex') },
      { option: code, type: INFO, data: '0003' + '00000200' + '00001000' + '02000000' },
      ack,
    ]);
  });

  test('N5 an export without a description tells none', () => {
    const describe = () => ({ ...DISK, description: '' });
    const { sent } = converse([clientFlags(), option(code, infoData('disk', 2))], { ...OWNER, describe });
    expect(repliesOf(sent)).toEqual([infoExport, ack]);
  });

  test.each([
    ['no data', ''],
    ['five bytes', Buffer.alloc(5)],
    [
      'a name longer than the option',
      Buffer.concat([Buffer.from('000000ff', 'hex'), Buffer.from('disk\0\0')]),
    ],
    ['a name of 4 GiB', Buffer.concat([Buffer.from('ffffffff', 'hex'), Buffer.from('disk\0\0')])],
    ['a name that leaves no count', Buffer.concat([Buffer.from('00000005', 'hex'), Buffer.from('disk\0\0')])],
    ['more requests than there are', infoData('disk', 1, 2).subarray(0, -2)],
    ['half a request', infoData('disk', 1, 2).subarray(0, -1)],
    ['fewer requests than there are', Buffer.concat([infoData('disk', 1), Buffer.alloc(2)])],
    ['a name that is not UTF-8', infoData(Buffer.from([0xff]))],
    ['a name with an encoded surrogate', infoData(Buffer.from([0xed, 0xa0, 0x80]))],
    ['a name with NUL', infoData('di\0sk')],
  ])('N5 %s is ERR_INVALID, and the stream stays in sync', (_case, data) => {
    const { sent, questions } = negotiate(option(code, data), LIST);
    expect(replyTypesOf(sent)).toEqual([ERR_INVALID, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
  });

  test('N5 a name of 4096 bytes is asked for, a longer one is ERR_TOO_BIG', () => {
    expect(negotiate(option(code, infoData('n'.repeat(4096)))).questions).toHaveLength(1);
    const { sent, questions } = negotiate(option(code, infoData('n'.repeat(4097))), LIST);
    expect(replyTypesOf(sent)[0]).toBe(ERR_TOO_BIG);
    expect(questions).toEqual(['list']);
  });

  test('N5 a byte order mark belongs to the name', () => {
    expect(negotiate(option(code, infoData('\ufeffdisk'))).questions[0]?.endsWith('\ufeffdisk')).toBe(true);
  });

  test('N10 data longer than any legal one is ERR_TOO_BIG, passes by, and is never kept', () => {
    const { sent, questions, bufferedBytesMax } = converse([
      clientFlags(),
      option(code, new Uint8Array(OPTION_BYTES_MAX + 1)),
      LIST,
    ]);
    expect(replyTypesOf(sent)).toEqual([ERR_TOO_BIG, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
    expect(bufferedBytesMax).toBeLessThan(16);
  });

  test('N12 a refusal is an error with a text, and the client may go on', () => {
    for (const [reason, type] of [
      ['unknown', ERR_UNKNOWN],
      ['policy', ERR_POLICY],
      ['shutdown', OptionReplyType.ERR_SHUTDOWN],
      ['platform', OptionReplyType.ERR_PLATFORM],
    ] as const) {
      const owner = { ...OWNER, describe: () => reason };
      const { sent, end } = converse([clientFlags(), option(code, infoData('disk'))], owner);
      expect(repliesOf(sent)).toEqual([{ option: code, type, data: `refused: ${reason}` }]);
      expect(end).toBe('still open');
    }
  });
});

describe('from INFO to GO', () => {
  const types = [3, 1, 2];

  test('N5 GO tells what the same INFO told, and transmission begins', () => {
    const { sent, questions, end } = negotiate(
      option(Option.INFO, infoData('disk', ...types)),
      option(Option.GO, infoData('disk', ...types)),
    );
    const replies = repliesOf(sent);
    const half = replies.length / 2;
    const untagged = replies.map(({ type, data }) => ({ type, data }));
    expect(untagged.slice(0, half)).toEqual(untagged.slice(half));
    expect(questions).toEqual(['info disk', 'go disk']);
    expect(end).toBe('transmission');
  });

  test('N5 the export is resolved afresh at every option', () => {
    const { questions } = negotiate(
      option(Option.INFO, infoData('disk')),
      option(Option.INFO, infoData('disk')),
      option(Option.GO, infoData('gone')),
      option(Option.GO, infoData('disk')),
    );
    expect(questions).toEqual(['info disk', 'info disk', 'go gone', 'go disk']);
  });

  test('what came behind a GO is the remainder, owned by the caller', () => {
    const machine = new ServerHandshake();
    const chunk = Buffer.concat([clientFlags(), option(Option.GO, infoData('disk')), Buffer.from('rest')]);
    machine.push(chunk);
    chunk.fill(0);
    expect(machine.next()).toEqual({ kind: 'go', exportName: 'disk', via: 'go' });
    expect(machine.phase).toBe('deciding');
    machine.push(Buffer.from(' and more'));
    machine.answerGo(DISK);
    expect(machine.phase).toBe('transmission');
    const remainder = machine.takeRemainder();
    expect(Buffer.from(remainder).toString()).toBe('rest and more');
    expect(remainder.buffer.byteLength, 'memory of its own, to hand over').toBe(remainder.length);
    expect(machine.takeRemainder()).toHaveLength(0);
  });
});

describe('ABORT', () => {
  test('N6 the answer is an ACK, then the connection closes', () => {
    const { sent, end } = negotiate(option(Option.ABORT), LIST);
    expect(repliesOf(sent)).toEqual([{ option: 2, type: ACK, data: '' }]);
    expect(end).toBe('abort');
  });

  test('N6 data is ignored, but taken in before the ACK', () => {
    const abort = option(Option.ABORT, 'a reason');
    expect(converse([clientFlags(), abort.subarray(0, -1)])).toMatchObject({ end: 'still open' });
    expect(converse([clientFlags(), abort])).toMatchObject({ end: 'abort' });
  });
});

describe('bounds', () => {
  test('N10 the option after the last allowed ends the connection', () => {
    const options = Array.from({ length: OPTIONS_MAX }, () => option(99));
    const { sent, end } = negotiate(...options);
    expect(replyTypesOf(sent)).toHaveLength(OPTIONS_MAX);
    expect(end).toBe('still open');
    expect(negotiate(...options, option(99)).end).toBe('options-limit');
    expect(negotiate(...options, option(Option.EXPORT_NAME, 'disk')).end).toBe('options-limit');
  });

  test('N10 the byte after the last allowed ends the connection, also of data that passes by', () => {
    const header = option(99);
    header.writeUInt32BE(0xffff_ffff, 12);
    const chunks = Array.from({ length: 1024 }, () => new Uint8Array(1024));
    const { end, sent, bufferedBytesMax, steps } = converse([clientFlags(), header, ...chunks]);
    expect(end).toBe('total-bytes-limit');
    expect(sent).toHaveLength(0);
    expect(bufferedBytesMax).toBe(0);
    expect(steps).toBeLessThan(HANDSHAKE_BYTES_MAX / 1024 + 5);
  });

  test('N10 the bound is exact', () => {
    const limits = { optionsMax: 9, optionBytesMax: 99, totalBytesMax: 4 + 16 };
    expect(converse([clientFlags(), LIST], OWNER, limits).questions).toEqual(['list']);
    const oneLess = { ...limits, totalBytesMax: 19 };
    expect(converse([clientFlags(), LIST], OWNER, oneLess)).toMatchObject({ end: 'total-bytes-limit' });
  });

  test('N10 when the bound is hit during a decision, its answer is empty and the connection closes', () => {
    const limits = { optionsMax: 9, optionBytesMax: 99, totalBytesMax: 100 };
    const questions = [LIST, option(Option.INFO, infoData('disk')), option(Option.GO, infoData('disk'))];
    const answers = [
      (machine: ServerHandshake) => machine.answerList([]),
      (machine: ServerHandshake) => machine.answerInfo(DISK),
      (machine: ServerHandshake) => machine.answerGo(DISK),
      (machine: ServerHandshake) => machine.refuse('unknown', '').bytes,
    ];
    for (const question of questions) {
      for (const answer of answers) {
        const machine = new ServerHandshake(limits);
        machine.push(Buffer.concat([clientFlags(), question]));
        machine.next();
        machine.push(new Uint8Array(100));
        expect(answer(machine)).toHaveLength(0);
        expect(machine.phase).toBe('closed');
        expect(machine.next()).toEqual({ kind: 'close', reason: 'total-bytes-limit' });
        machine.push(new Uint8Array(100));
        expect(machine.bufferedBytes).toBe(0);
      }
    }
  });
});

describe('an owner that breaks its promises', () => {
  const NOT_ASKED = 'an answer is given to what was asked';

  test('an answer is given to what was asked', () => {
    const machine = new ServerHandshake();
    expect(() => machine.answerList([])).toThrow(NOT_ASKED);
    expect(() => machine.refuse('policy', '')).toThrow(NOT_ASKED);
    expect(() => machine.takeRemainder()).toThrow('remainder');
    machine.push(Buffer.concat([clientFlags(), LIST]));
    expect(machine.next()).toEqual({ kind: 'list' });
    expect(() => machine.next()).toThrow('deciding');
    expect(() => machine.answerInfo(DISK)).toThrow(NOT_ASKED);
    expect(() => machine.answerGo(DISK)).toThrow(NOT_ASKED);
    expect(machine.answerList([])).toHaveLength(20);
  });

  test('N12 an answer that cannot be encoded can still be refused', () => {
    const machine = new ServerHandshake();
    machine.push(Buffer.concat([clientFlags(), option(Option.GO, infoData('disk'))]));
    machine.next();
    expect(() => machine.answerGo({ ...DISK, sizeBytes: -1n })).toThrow('the size of an export');
    expect(replyTypesOf(Buffer.from(machine.refuse('platform', '').bytes))).toEqual([
      OptionReplyType.ERR_PLATFORM,
    ]);
  });

  test('a handshake that is over takes no bytes', () => {
    const machine = new ServerHandshake();
    machine.push(Buffer.concat([clientFlags(), option(Option.GO, infoData('disk'))]));
    machine.next();
    machine.answerGo(DISK);
    expect(() => {
      machine.push(new Uint8Array(1));
    }).toThrow('takes no bytes');
    expect(() => machine.next()).toThrow('transmission');
  });
});
