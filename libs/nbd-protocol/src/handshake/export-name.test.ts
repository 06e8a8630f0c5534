import { describe, expect, test } from 'vitest';
import { Option } from '../constants/options.js';
import { converse, negotiate } from '../testing/conversation.js';
import { clientFlags, option } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

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
    expect(machine.next()).toMatchObject({ kind: 'go', exportName: 'x', via: 'export-name' });
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
