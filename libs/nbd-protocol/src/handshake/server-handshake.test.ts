import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { DISK } from '../testing/conversation.js';
import { clientFlags, infoData, option, replyTypesOf } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const LIST = option(Option.LIST);

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
