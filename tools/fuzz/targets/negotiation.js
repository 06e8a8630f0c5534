/** The client's side of the handshake, against the reference. */
import assert from 'node:assert/strict';
import { HoldfastError } from '@holdfast/foundation';
import { ClientHandshake } from '../../../libs/nbd-client/dist/handshake/client-handshake.js';
import { infoOption } from '../../../libs/nbd-client/dist/handshake/options/info.js';
import { listOption } from '../../../libs/nbd-client/dist/handshake/options/list.js';
import {
  listMetaContextOption,
  setMetaContextOption,
} from '../../../libs/nbd-client/dist/handshake/options/meta-context.js';
import { plainOption } from '../../../libs/nbd-client/dist/handshake/options/plain-option.js';
import * as wire from '../../../libs/nbd-client/dist/testing/wire.js';
import { negotiateByReference, OPTIONS } from './negotiation-reference.js';
import { cut, Setup } from './setup.js';

/** @import { OptionExchange } from '../../../libs/nbd-client/dist/handshake/option-exchange.js' */
/** @import { Random } from '../random.js' */
/** @import { Target } from '../types.js' */
/** @import { Asked } from './negotiation-reference.js' */

const SETUP_BYTES = 4;
/** One option reply of the longest kind, and the piece that came last. */
const HELD_BYTES_MAX = 20 + 4 + 2 * 4096 + 4000;
const ACK = 1;

/** @type {readonly (readonly Asked[])[]} */
const SCRIPTS = [
  ['STRUCTURED_REPLY', 'SET_META_CONTEXT', 'GO'],
  ['EXTENDED_HEADERS', 'STRUCTURED_REPLY', 'LIST_META_CONTEXT', 'SET_META_CONTEXT', 'GO'],
  ['LIST', 'INFO', 'INFO', 'GO'],
  ['STRUCTURED_REPLY', 'EXPORT_NAME'],
  ['INFO', 'LIST', 'LIST_META_CONTEXT', 'LIST'],
];

/** @type {Target} */
export const negotiation = {
  name: 'negotiation',
  underTest: /nbd-client\/dist\/handshake\//,
  setupBytes: SETUP_BYTES,
  inputBytesMax: 16_000,
  seeds: () =>
    SCRIPTS.map((script, index) => Buffer.concat([Uint8Array.of(index, 0, 0, 0), goodServer(script)])),
  message: optionReplyMessage,
  boundaries: (input) => {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    const magic = Buffer.from('0003e889045565a9', 'hex');
    const starts = [];
    for (let at = bytes.indexOf(magic, SETUP_BYTES); at !== -1; at = bytes.indexOf(magic, at + 8))
      starts.push(at);
    return starts;
  },
  run: (input) => {
    const { script, chunkSeed } = caseOf(input);
    const stream = input.subarray(SETUP_BYTES);
    const expected = negotiateByReference(script, stream);
    assert.deepEqual(negotiate(script, cut(stream, chunkSeed)), expected, 'what the handshake came to');
    if (stream.length < 4000) assert.deepEqual(negotiate(script, [stream]), expected, 'all in one piece');
  },
};

/** @param {Uint8Array} input */
function caseOf(input) {
  const setup = new Setup(input);
  return { script: setup.pick(SCRIPTS), chunkSeed: setup.uint16() };
}

/** @type {(asked: Asked) => OptionExchange<unknown>} */
function exchangeFor(asked) {
  switch (asked) {
    case 'LIST':
      return listOption();
    case 'INFO':
    case 'GO':
      return infoOption(asked, 'disk');
    case 'LIST_META_CONTEXT':
      return listMetaContextOption('disk', []);
    case 'SET_META_CONTEXT':
      return setMetaContextOption('disk', ['base:allocation']);
    case 'STRUCTURED_REPLY':
    case 'EXTENDED_HEADERS':
      return plainOption(asked);
    case 'EXPORT_NAME':
      throw new Error('EXPORT_NAME has no option reply');
  }
}

/** @type {(script: readonly Asked[], pieces: readonly Uint8Array[]) => string[]} */
function negotiate(script, pieces) {
  const machine = new ClientHandshake();
  const left = [...script];
  /** @type {string[]} */
  const outcomes = [];
  /** @type {OptionExchange<unknown> | undefined} */
  let exchange;
  const ask = () => {
    const asked = left.shift();
    if (asked === undefined) return false;
    exchange = asked === 'EXPORT_NAME' ? undefined : exchangeFor(asked);
    if (exchange === undefined) machine.askExportName('disk');
    else machine.ask(exchange);
    return true;
  };
  try {
    for (const piece of [new Uint8Array(), ...pieces]) {
      const lent = Uint8Array.from(piece);
      machine.push(lent);
      lent.fill(0xdb);
      for (let step = machine.next(); step.kind !== 'need-input'; step = machine.next()) {
        if (step.kind === 'accepted') outcomes.push(digestOf(exchange?.finish()));
        if (step.kind === 'refused') outcomes.push('refused');
        if (step.kind === 'export')
          outcomes.push(`export ${step.facts.sizeBytes} ${step.facts.transmissionFlags}`);
        if (machine.phase === 'transmission') return [...outcomes, 'transmission'];
        if (!ask()) return [...outcomes, 'done'];
      }
      assert.ok(machine.bufferedBytes <= HELD_BYTES_MAX, 'no more than one option reply is held (T19)');
    }
    return [...outcomes, 'waiting'];
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return [...outcomes, 'broken'];
  }
}

/** @type {(result: unknown) => string} */
function digestOf(result) {
  if (result === undefined) return '';
  if (!Array.isArray(result)) {
    const info = /** @type {{ sizeBytes: bigint, transmissionFlags: number }} */ (result);
    return `${info.sizeBytes} ${info.transmissionFlags}`;
  }
  return result
    .map((/** @type {string | { name: string, description?: string }} */ item) => {
      if (typeof item === 'string') return item;
      return item.description === undefined ? item.name : `${item.name}|${item.description}`;
    })
    .join(',');
}

/** @type {(script: readonly Asked[]) => Uint8Array} */
function goodServer(script) {
  return Buffer.concat([
    wire.greeting(),
    ...script.flatMap((asked) => {
      if (asked === 'EXPORT_NAME') return [wire.fields([64, 1 << 20], [16, 1])];
      const option = OPTIONS[asked] ?? 0;
      const ack = wire.optionReply(option, ACK);
      if (asked === 'LIST') return [wire.optionReply(option, 2, wire.fields([32, 4], 'diska disk')), ack];
      if (asked.endsWith('META_CONTEXT'))
        return [wire.optionReply(option, 4, wire.fields([32, 1], 'base:allocation')), ack];
      if (asked !== 'INFO' && asked !== 'GO') return [ack];
      const infos = [wire.infoExport(1 << 20, 3), wire.infoBlockSize(1, 4096, 1 << 25)];
      return [...infos.map((info) => wire.optionReply(option, 3, info)), ack];
    }),
  ]);
}

/** @type {(random: Random, input: Uint8Array) => Uint8Array} */
function optionReplyMessage(random, input) {
  const { script } = caseOf(input);
  const option = OPTIONS[random.pick(script)] ?? 0;
  const powers = () => 1 << random.below(20);
  const name = random.pick(['disk', '', 'd\u00efsk', 'a\0b', '\ufeff', 'x'.repeat(5000)]);
  switch (random.below(10)) {
    case 0:
    case 1:
      return wire.optionReply(option, ACK);
    case 2:
      return wire.optionReply(option, 3, wire.infoExport(random.uint32(), random.below(16)));
    case 3:
      return wire.optionReply(option, 3, wire.infoBlockSize(powers(), powers(), powers()));
    case 4:
      return wire.optionReply(option, 3, wire.fields([16, random.below(5)], name));
    case 5:
      return wire.optionReply(
        option,
        2,
        wire.fields([32, random.oneIn(4) ? random.below(9) : Buffer.byteLength(name)], name, 'text'),
      );
    case 6:
      return wire.optionReply(option, 4, wire.fields([32, random.below(4)], name));
    case 7:
      return wire.optionReply(option, 2 ** 31 + random.below(12), name);
    case 8:
      return wire.optionReply(option, random.below(6), random.bytes(random.below(20)));
    default:
      return wire.optionReply(
        random.below(13),
        random.oneIn(2) ? ACK : random.uint32(),
        random.bytes(random.below(20)),
      );
  }
}
