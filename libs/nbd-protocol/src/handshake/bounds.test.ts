import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { HANDSHAKE_BYTES_MAX, OPTIONS_MAX } from '../limits.js';
import { converse, DISK, negotiate } from '../testing/conversation.js';
import { clientFlags, infoData, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK } = OptionReplyType;
const LIST = option(Option.LIST);

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
    expect(converse([clientFlags(), LIST], { limits }).questions).toEqual(['list']);
    const oneLess = { ...limits, totalBytesMax: 19 };
    expect(converse([clientFlags(), LIST], { limits: oneLess })).toMatchObject({ end: 'total-bytes-limit' });
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
        const machine = new ServerHandshake({ limits });
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
