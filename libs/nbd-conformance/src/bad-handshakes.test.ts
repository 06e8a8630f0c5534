import { Buffer } from 'node:buffer';
import { fields, infoExport, optionReply } from '@holdfast/nbd-client/testing/wire';
import { Option, OptionReplyType as Rep } from '@holdfast/nbd-protocol';
import { describe, it } from 'vitest';
import { UNKNOWN_OPTION } from './probes/handshake/n01-unknown-option.js';
import { expectBroken, type BadServer } from './testing/expect-broken.js';
import { MODEL_FLAGS, type Faults, type Instead, type ModelState } from './testing/model-export.js';
import { tlsContext } from './testing/tls-context.js';

/** Differs in what is answered to one option. */
function answering(
  option: number,
  answer: (data: Buffer, state: ModelState, good: Buffer) => Instead | undefined,
): Faults {
  return {
    option: ({ code, data }, state, good) => (code === option ? answer(data, state, good) : undefined),
  };
}

const reply = (code: number, type: number, data?: Uint8Array) => optionReply(code, type, data);
const isErrorIn = (good: Buffer) => good.readUInt32BE(12) >= 0x8000_0000;

const badServers: BadServer[] = [
  {
    rule: 'N1',
    does: 'grants unknown options',
    faults: answering(UNKNOWN_OPTION, () => reply(UNKNOWN_OPTION, Rep.ACK)),
    got: /NBD_REP_ACK/,
    strength: 'MUST',
  },
  {
    rule: 'N1',
    does: 'leaves the data of unknown options on the stream',
    faults: { optionBytes: (code) => (code === UNKNOWN_OPTION ? 0 : undefined) },
    got: /a reply to NBD_OPT_LIST|closed/,
    strength: 'MUST',
  },
  {
    rule: 'N2',
    does: 'takes any flags',
    faults: { takesAnyFlags: true },
    got: /further bytes/,
    strength: 'MUST',
  },
  {
    rule: 'N3',
    does: 'grants EXPORT_NAME of what is not there',
    faults: answering(Option.EXPORT_NAME, (_data, _state, good) => good),
    got: /further bytes/,
    strength: 'MUST',
  },
  {
    rule: 'N3',
    does: 'forgets the 124 zeroes',
    faults: answering(Option.EXPORT_NAME, (data, _state, good) =>
      data.toString() === 'disk' ? good.subarray(0, 10) : undefined,
    ),
    got: /no answer/,
    strength: 'MUST',
  },
  {
    rule: 'N3',
    does: 'pads behind GO',
    write: false,
    faults: answering(Option.GO, (_data, _state, good) => Buffer.concat([good, Buffer.alloc(124)])),
    got: /0x0 in place of a reply/,
    strength: 'MUST',
  },
  {
    rule: 'N4',
    does: 'lists names that are longer than their reply',
    faults: answering(Option.LIST, () =>
      Buffer.concat([
        reply(Option.LIST, Rep.SERVER, fields([32, 0xffff_ffff], 'disk')),
        reply(Option.LIST, Rep.ACK),
      ]),
    ),
    got: /a name of 0xffffffff bytes/,
    strength: 'MUST',
  },
  {
    rule: 'N4',
    does: 'ignores the data of LIST',
    faults: answering(Option.LIST, (data) => (data.length > 0 ? reply(Option.LIST, Rep.ACK) : undefined)),
    got: /NBD_REP_ACK/,
    strength: 'SHOULD',
  },
  {
    rule: 'N5',
    does: 'grants names that are longer than the option',
    faults: answering(Option.INFO, (_data, _state, good) =>
      isErrorIn(good)
        ? Buffer.concat([
            reply(Option.INFO, Rep.INFO, infoExport(1, MODEL_FLAGS)),
            reply(Option.INFO, Rep.ACK),
          ])
        : undefined,
    ),
    got: /NBD_REP_ACK/,
    strength: 'SHOULD',
  },
  {
    rule: 'N5',
    does: 'refuses unknown requests',
    faults: answering(Option.INFO, (data) =>
      data.includes(Buffer.from([0x7f, 0xf0])) ? reply(Option.INFO, Rep.ERR_INVALID) : undefined,
    ),
    got: /NBD_REP_ERR_INVALID/,
    strength: 'MUST',
  },
  {
    rule: 'N5',
    does: 'tells another size by INFO',
    faults: answering(Option.INFO, (_data, _state, good) =>
      isErrorIn(good)
        ? undefined
        : Buffer.concat([
            reply(Option.INFO, Rep.INFO, infoExport(0, MODEL_FLAGS)),
            reply(Option.INFO, Rep.ACK),
          ]),
    ),
    got: /by INFO .*; by GO/,
    strength: 'MUST',
  },
  {
    rule: 'N6',
    does: 'closes on ABORT without a word',
    faults: answering(Option.ABORT, () => 'close'),
    got: /closed/,
    strength: 'MUST',
  },
  {
    rule: 'N8',
    does: 'answers TLS_REQD without TLS',
    faults: answering(UNKNOWN_OPTION, () => reply(UNKNOWN_OPTION, Rep.ERR_TLS_REQD)),
    got: /NBD_REP_ERR_TLS_REQD/,
    strength: 'MUST',
  },
  {
    rule: 'N9',
    does: 'keeps the selection when SET_META_CONTEXT fails',
    faults: answering(Option.SET_META_CONTEXT, (_data, state, good) => {
      if (isErrorIn(good) && state.mode !== 'simple') state.contextId = 7;
      return undefined;
    }),
    got: /success/,
    strength: 'SHOULD',
    modes: ['structured', 'extended'],
  },
  {
    rule: 'N9',
    does: 'gives one id twice',
    faults: answering(Option.SET_META_CONTEXT, (_data, _state, good) =>
      good.readUInt32BE(12) === Rep.META_CONTEXT
        ? Buffer.concat([reply(Option.SET_META_CONTEXT, Rep.META_CONTEXT, fields([32, 7], 'qemu:a')), good])
        : undefined,
    ),
    got: /the ids 7, 7/,
    strength: 'MUST',
    modes: ['structured', 'extended'],
  },
  {
    rule: 'N9',
    does: 'lists nothing where nothing is asked for',
    faults: answering(Option.LIST_META_CONTEXT, () => reply(Option.LIST_META_CONTEXT, Rep.ACK)),
    got: /only/,
    strength: 'MUST',
    modes: ['structured', 'extended'],
  },
  {
    rule: 'N11',
    does: 'goes back to structured replies',
    faults: answering(Option.STRUCTURED_REPLY, () => reply(Option.STRUCTURED_REPLY, Rep.ACK)),
    got: /NBD_REP_ACK/,
    strength: 'SHOULD',
  },
  {
    rule: 'N11',
    does: 'refuses contexts of base: for want of structured replies',
    faults: answering(Option.SET_META_CONTEXT, () => reply(Option.SET_META_CONTEXT, Rep.ERR_INVALID)),
    got: /NBD_REP_ERR_INVALID/,
    strength: 'MUST',
  },
  {
    rule: 'N12',
    does: 'cuts off who asks for what is not there',
    faults: answering(Option.GO, (_data, _state, good) => (isErrorIn(good) ? 'close' : undefined)),
    got: /closed/,
    strength: 'MUST',
  },
];

const badWithTls: (BadServer & { readonly mode: 'required' | 'offered' })[] = [
  {
    rule: 'N7',
    does: 'keeps structured replies across STARTTLS',
    mode: 'offered',
    faults: { keepsAcrossTls: 'state' },
    got: /a chunk of the structured form/,
    strength: 'MUST',
  },
  {
    rule: 'N7',
    does: 'answers within TLS what came in the clear',
    mode: 'required',
    faults: { keepsAcrossTls: 'bytes' },
    got: /a reply to NBD_OPT_LIST/,
    strength: 'MUST',
  },
  {
    rule: 'N7',
    does: 'grants STARTTLS twice',
    mode: 'required',
    faults: answering(Option.STARTTLS, (_data, { isSecured }) =>
      isSecured ? reply(Option.STARTTLS, Rep.ACK) : undefined,
    ),
    got: /NBD_REP_ACK/,
    strength: 'MUST',
  },
  {
    rule: 'N8',
    does: 'forces TLS, and tells about exports without it',
    mode: 'required',
    faults: answering(Option.INFO, (_data, { isSecured }) =>
      isSecured
        ? undefined
        : Buffer.concat([
            reply(Option.INFO, Rep.INFO, infoExport(1, MODEL_FLAGS)),
            reply(Option.INFO, Rep.ACK),
          ]),
    ),
    got: /NBD_REP_ACK/,
    strength: 'MUST',
  },
  {
    rule: 'N8',
    does: 'answers TLS_REQD within TLS',
    mode: 'offered',
    faults: answering(Option.LIST, (_data, { isSecured }) =>
      isSecured ? reply(Option.LIST, Rep.ERR_TLS_REQD) : undefined,
    ),
    got: /NBD_REP_ERR_TLS_REQD/,
    strength: 'MUST',
  },
];

describe('a server is told what it breaks', () => {
  it.each(badServers)('$rule: one that $does', expectBroken);

  it.each(badWithTls)('$rule: one that $does', async ({ mode, ...bad }) => {
    await expectBroken({ ...bad, model: { tls: { mode, context: await tlsContext() } } });
  });
});
