import { Buffer } from 'node:buffer';
import { infoBlockSize, infoExport, optionReply, fields } from '@holdfast/nbd-client/testing/wire';
import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { flagsIn, type ArrivedOption, type Model, type ModelState } from './model-export.js';

const BASE = 'base:allocation';
const { ACK, INFO, META_CONTEXT, SERVER } = OptionReplyType;
const { ERR_EXT_HEADER_REQD, ERR_INVALID, ERR_POLICY, ERR_TLS_REQD, ERR_UNKNOWN, ERR_UNSUP } =
  OptionReplyType;

/** What a good server answers to an option; its state follows. */
export function answerOption(model: Model, state: ModelState, { code, data }: ArrivedOption): Buffer {
  const reply = (type: number, content?: Uint8Array) => optionReply(code, type, content);
  const isForced = model.tls.mode === 'required' && !state.isSecured;
  if (isForced && code !== Option.STARTTLS && code !== Option.ABORT) return reply(ERR_TLS_REQD);
  switch (code) {
    case Option.ABORT:
      return reply(ACK);
    case Option.LIST:
      if (data.length > 0) return reply(ERR_INVALID);
      return Buffer.concat([reply(SERVER, fields([32, 4], 'disk')), reply(ACK)]);
    case Option.STARTTLS:
      if (model.tls.mode === 'none') return reply(ERR_POLICY);
      return reply(state.isSecured || data.length > 0 ? ERR_INVALID : ACK);
    case Option.INFO:
    case Option.GO:
      return answerInfo(model, state, code, data);
    case Option.STRUCTURED_REPLY:
    case Option.EXTENDED_HEADERS:
      return reply(chooseMode(model, state, code, data));
    case Option.LIST_META_CONTEXT:
    case Option.SET_META_CONTEXT:
      return answerContexts(state, code, data);
    default:
      return reply(ERR_UNSUP);
  }
}

function answerInfo(model: Model, state: ModelState, code: number, data: Buffer): Buffer {
  const reply = (type: number, content?: Uint8Array) => optionReply(code, type, content);
  const length = data.length >= 6 ? data.readUInt32BE(0) : -1;
  if (length < 0 || length > data.length - 6) return reply(ERR_INVALID);
  if (data.toString('utf8', 4, 4 + length) !== 'disk') return reply(ERR_UNKNOWN);
  const facts = infoExport(model.image.length, flagsIn(model, state));
  return Buffer.concat([reply(INFO, facts), reply(INFO, infoBlockSize(...model.blockSize)), reply(ACK)]);
}

function chooseMode(model: Model, state: ModelState, code: number, data: Buffer): number {
  const mode = code === Option.EXTENDED_HEADERS ? 'extended' : 'structured';
  if (!model.modes.includes(mode)) return ERR_UNSUP;
  if (data.length > 0) return ERR_INVALID;
  if (mode === 'structured' && state.mode === 'extended') return ERR_EXT_HEADER_REQD;
  state.mode = mode;
  return ACK;
}

function answerContexts(state: ModelState, code: number, data: Buffer): Buffer {
  const reply = (type: number, content?: Uint8Array) => optionReply(code, type, content);
  const isSelection = code === Option.SET_META_CONTEXT;
  if (isSelection) state.contextId = undefined;
  if (state.mode === 'simple') return reply(ERR_INVALID);
  const asked = readQueries(data);
  if (asked === undefined) return reply(ERR_INVALID);
  if (asked.name !== 'disk') return reply(ERR_UNKNOWN);
  const { queries } = asked;
  const isMeant =
    queries.includes(BASE) || (!isSelection && (queries.length === 0 || queries.includes('base:')));
  if (!isMeant) return reply(ACK);
  const id = isSelection ? 7 : 0;
  if (isSelection) state.contextId = id;
  return Buffer.concat([reply(META_CONTEXT, fields([32, id], BASE)), reply(ACK)]);
}

function readQueries(data: Buffer): { name: string; queries: string[] } | undefined {
  let at = 0;
  const text = (): string | undefined => {
    if (at + 4 > data.length) return undefined;
    const from = at + 4;
    at = from + data.readUInt32BE(at);
    return at > data.length ? undefined : data.toString('utf8', from, at);
  };
  const name = text();
  if (name === undefined || at + 4 > data.length) return undefined;
  const count = data.readUInt32BE(at);
  at += 4;
  const queries = Array.from({ length: Math.min(count, 64) }, text);
  return queries.includes(undefined)
    ? undefined
    : { name, queries: queries.filter((one) => one !== undefined) };
}
