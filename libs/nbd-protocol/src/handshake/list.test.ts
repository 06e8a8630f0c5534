import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { converse, negotiate, OWNER } from '../testing/conversation.js';
import { clientFlags, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';

const { ACK, SERVER, ERR_POLICY, ERR_INVALID } = OptionReplyType;
const LIST = option(Option.LIST);

describe('LIST', () => {
  test('N4 every export is a SERVER, then comes the ACK', () => {
    expect(repliesOf(negotiate(LIST).sent)).toEqual([
      { option: 3, type: SERVER, data: '00000004' + Buffer.from('diska disk').toString('hex') },
      { option: 3, type: SERVER, data: '00000005' + Buffer.from('plain').toString('hex') },
      { option: 3, type: ACK, data: '' },
    ]);
  });

  test('N4 without exports there is only the ACK', () => {
    const { sent } = converse([clientFlags(), LIST], { owner: { ...OWNER, listings: [] } });
    expect(replyTypesOf(sent)).toEqual([ACK]);
  });

  test('N4 LIST with data is ERR_INVALID, and the stream stays in sync', () => {
    const { sent, questions } = negotiate(option(Option.LIST, 'x'.repeat(20_000)), LIST);
    expect(replyTypesOf(sent)).toEqual([ERR_INVALID, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
  });

  test('N12 LIST may be refused', () => {
    const { sent, end } = converse([clientFlags(), LIST], { owner: { ...OWNER, listings: 'policy' } });
    expect(repliesOf(sent)).toEqual([{ option: 3, type: ERR_POLICY, data: 'refused: policy' }]);
    expect(end).toBe('still open');
  });
});
