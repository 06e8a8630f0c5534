import { describe, expect, test } from 'vitest';
import { InfoType } from '../constants/info-types.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { OPTION_BYTES_MAX } from '../limits.js';
import { converse, DISK, negotiate, OWNER } from '../testing/conversation.js';
import { clientFlags, infoData, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK, SERVER, INFO, ERR_POLICY, ERR_INVALID, ERR_UNKNOWN, ERR_TOO_BIG } = OptionReplyType;
const LIST = option(Option.LIST);

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
    const { sent } = converse([clientFlags(), option(code, infoData('disk', 2))], {
      owner: { ...OWNER, describe },
    });
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
      ['unavailable', ERR_UNKNOWN],
      ['policy', ERR_POLICY],
      ['shutdown', OptionReplyType.ERR_SHUTDOWN],
      ['platform', OptionReplyType.ERR_PLATFORM],
    ] as const) {
      const owner = { ...OWNER, describe: () => reason };
      const { sent, end } = converse([clientFlags(), option(code, infoData('disk'))], { owner });
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
    expect(machine.next()).toMatchObject({ kind: 'go', exportName: 'disk', via: 'go' });
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
