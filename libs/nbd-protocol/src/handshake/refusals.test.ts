import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { negotiateIn, OWNER } from '../testing/conversation.js';
import {
  clientFlags,
  contextData,
  infoData,
  option,
  repliesOf,
  replyTypesOf,
} from '../testing/handshake-wire.js';
import { type HandshakeOptions, ServerHandshake } from './server-handshake.js';

const { ACK, INFO, ERR_BLOCK_SIZE_REQD, ERR_SHUTDOWN, ERR_TLS_REQD } = OptionReplyType;

describe('an export whose block sizes must be asked for', () => {
  const owner = { ...OWNER, blockSizeRequired: true };
  const blockSize = '0003' + '00000200' + '00001000' + '02000000';

  test.each([
    ['INFO', Option.INFO],
    ['GO', Option.GO],
  ])('T5 %s without asking is told them, then ERR_BLOCK_SIZE_REQD, and may ask again', (_name, code) => {
    const { sent } = negotiateIn(
      { owner },
      option(code, infoData('disk', 1)),
      option(code, infoData('disk', 3)),
    );
    expect(replyTypesOf(sent)).toEqual([INFO, ERR_BLOCK_SIZE_REQD, INFO, INFO, ACK]);
    expect(repliesOf(sent)[0]).toEqual({ option: code, type: INFO, data: blockSize });
  });

  test('T5 EXPORT_NAME cannot ask, and closes', () => {
    const name = option(Option.EXPORT_NAME, 'disk');
    const { sent, end } = negotiateIn({ owner }, name);
    expect({ end, sent: sent.length }).toEqual({ end: 'export-name-refused', sent: 0 });
  });

  test('T5 is no answer to another question', () => {
    const machine = machineWith({}, option(Option.LIST));
    machine.next();
    expect(() => machine.refuseWithoutBlockSize({ minimum: 1, preferred: 512, payloadMaximum: 512 })).toThrow(
      'asked',
    );
  });
});

describe('a server that stops', () => {
  const options = [
    option(Option.LIST),
    option(Option.INFO, infoData('disk')),
    option(Option.GO, infoData('disk')),
    option(Option.STRUCTURED_REPLY),
    option(Option.EXTENDED_HEADERS),
    option(Option.SET_META_CONTEXT, contextData('disk')),
    option(99, 'unknown'),
  ];

  test('N12 answers every option by ERR_SHUTDOWN, and ABORT by ACK', () => {
    const machine = machineWith(
      { tlsMode: 'per-export' },
      ...options,
      option(Option.STARTTLS),
      option(Option.ABORT),
    );
    machine.stop();
    expect(answersOf(machine)).toEqual([...Array<number>(8).fill(ERR_SHUTDOWN), ACK, 'abort']);
  });

  test('N12 closes on EXPORT_NAME, which knows no errors', () => {
    const machine = machineWith({}, option(Option.EXPORT_NAME, 'disk'));
    machine.stop();
    expect(answersOf(machine)).toEqual(['export-name-while-stopping']);
  });

  test('N8 N12 still says TLS_REQD where TLS must come first', () => {
    const machine = machineWith({ tlsMode: 'required' }, ...options);
    machine.stop();
    expect(answersOf(machine)).toEqual(Array(7).fill(ERR_TLS_REQD));
  });
});

function machineWith(options: HandshakeOptions, ...messages: readonly Uint8Array[]): ServerHandshake {
  const machine = new ServerHandshake(options);
  machine.push(Buffer.concat([clientFlags(), ...messages]));
  return machine;
}

/** What a machine answers by itself: types of replies, and the reason of a close. */
function answersOf(machine: ServerHandshake): (number | string)[] {
  const answers: (number | string)[] = [];
  for (;;) {
    const request = machine.next();
    if (request.kind === 'need-input') return answers;
    if (!('bytes' in request) && request.kind !== 'close') throw new Error(`asked for ${request.kind}`);
    if (request.bytes !== undefined) answers.push(...replyTypesOf(Buffer.from(request.bytes)));
    if (request.kind === 'close') return [...answers, request.reason];
  }
}
