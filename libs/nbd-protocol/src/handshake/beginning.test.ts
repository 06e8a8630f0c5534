import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { converse, negotiate } from '../testing/conversation.js';
import { clientFlags, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK, SERVER, ERR_UNSUP } = OptionReplyType;
const LIST = option(Option.LIST);

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
      for (const code of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]) {
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
    for (const code of [0, 4, 12, 99, 0xffff_ffff]) {
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
