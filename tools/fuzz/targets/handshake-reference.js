/**
 * A handshake as the specification tells it, a second time and as simple as can be: the whole stream at once, one option
 * after the other. It knows the owner that `OWNER` of the conversation is: `disk`, `hidden` by policy, `secret` by TLS.
 */

/** @import { TlsMode } from '../../../libs/nbd-protocol/dist/handshake/handshake-facts.js' */

/**
 * One option, and which final reply it must have.
 *
 * @typedef {{ option: number, reply: number, informations: number }} Expected
 * @typedef {{ end: string, expected: Expected[], replyMode: string, contexts: string[], consumed: number, tls: boolean }} Expectation
 * @typedef {{ tlsMode: TlsMode, throughTls: Uint8Array | undefined, stopping: boolean, blockSizeRequired: boolean, listingsRefused: boolean, contextsRefused: boolean }} HandshakeSetting
 */

export const ACK = 1;
const ERROR = 2 ** 31;
const UNSUP = ERROR + 1;
const POLICY = ERROR + 2;
const INVALID = ERROR + 3;
const TLS_REQD = ERROR + 5;
const UNKNOWN = ERROR + 6;
const SHUTDOWN = ERROR + 7;
const BLOCK_SIZE_REQD = ERROR + 8;
const TOO_BIG = ERROR + 9;
const EXT_HEADER_REQD = ERROR + 10;

const OPTIONS_MAX = 32;
const OPTION_BYTES_MAX = 4 + 4096 + 4 + (4 + 256) * 64;
const OFFERS = ['base:allocation', 'x-holdfast:wide', 'x-holdfast:bitmap:a', 'x-holdfast:bitmap:b'];
const WIDE = 'x-holdfast:wide';

/**
 * @param {Uint8Array} plain
 * @param {HandshakeSetting} setting
 * @returns {Expectation}
 */
export function handshakeByReference(plain, setting) {
  const { tlsMode, throughTls } = setting;
  let bytes = Buffer.from(plain);
  let at = 4;
  let options = 0;
  let tls = false;
  let replyMode = 'simple';
  /** @type {{ name: string, contexts: string[] } | undefined} */
  let selection;
  /** @type {Expected[]} */
  const expected = [];
  /** @type {(end: string, contexts?: string[]) => Expectation} */
  const ended = (end, contexts = []) => ({ end, expected, replyMode, contexts, consumed: at, tls });

  if (bytes.length < 4) return { ...ended('still open'), consumed: 0 };
  const flags = bytes.readUInt32BE(0);
  if ((flags & ~3) !== 0) return ended('bad-client-flags');

  for (;;) {
    if (bytes.length - at < 16) return ended('still open');
    if (bytes.toString('latin1', at, at + 8) !== 'IHAVEOPT') return ended('bad-option-magic');
    options += 1;
    if (options > OPTIONS_MAX) return ended('options-limit');
    const option = bytes.readUInt32BE(at + 8);
    const length = bytes.readUInt32BE(at + 12);
    if (option === 10) selection = undefined;
    if (option === 1) {
      if (tlsMode === 'required' && !tls) return ended('export-name-without-tls');
      if (replyMode === 'extended') return ended('export-name-after-extended-headers');
      if (setting.stopping) return ended('export-name-while-stopping');
      if (length > 4096) return ended('bad-export-name');
    } else if ((flags & 1) === 0) return ended('not-fixed-newstyle');
    if (bytes.length - at - 16 < length) return ended('still open');
    const data = bytes.subarray(at + 16, at + 16 + length);
    at += 16 + length;

    if (option === 1) {
      const name = textOf(data);
      if (name === undefined) return ended('bad-export-name');
      // A client that comes by EXPORT_NAME has not asked for block sizes.
      if (name !== 'disk' || setting.blockSizeRequired) return ended('export-name-refused');
      return ended('transmission', selection?.name === name ? selection.contexts : []);
    }
    const { reply, informations = 0, select } = replyTo(option, data, { ...setting, tls, replyMode });
    expected.push({ option, reply, informations });
    if (select !== undefined) selection = select;
    if (reply !== ACK) continue;
    if (option === 2) return ended('abort');
    if (option === 7) return ended('transmission', selection?.name === 'disk' ? selection.contexts : []);
    if (option === 8) replyMode = 'structured';
    if (option === 11) replyMode = 'extended';
    if (option === 5) {
      if (throughTls === undefined) return ended('tls-failed');
      // N7: whatever was agreed or sent before is void.
      [tls, replyMode, selection, bytes, at] = [true, 'simple', undefined, Buffer.from(throughTls), 0];
    }
  }
}

/**
 * @param {number} option
 * @param {Buffer} data
 * @param {HandshakeSetting & { tls: boolean, replyMode: string }} state
 * @returns {{ reply: number, informations?: number, select?: { name: string, contexts: string[] } }}
 */
function replyTo(option, data, state) {
  const { tlsMode, tls, replyMode } = state;
  if (option === 2) return { reply: ACK };
  if (tlsMode === 'required' && !tls && option !== 5) return { reply: TLS_REQD };
  if (state.stopping) return { reply: SHUTDOWN };
  const isEmpty = data.length === 0;
  switch (option) {
    case 3:
      if (!isEmpty) return { reply: INVALID };
      return state.listingsRefused ? { reply: POLICY } : { reply: ACK, informations: 2 };
    case 5:
      if (tlsMode === 'off') return { reply: POLICY };
      return { reply: tls || !isEmpty ? INVALID : ACK };
    case 6:
    case 7:
      return replyToInfo(data, state);
    case 8:
      if (replyMode === 'extended') return { reply: EXT_HEADER_REQD };
      return { reply: isEmpty ? ACK : INVALID };
    case 9:
    case 10:
      return replyMode === 'simple' ? { reply: INVALID } : replyToContexts(option, data, state);
    case 11:
      return { reply: isEmpty ? ACK : INVALID };
    default:
      return { reply: UNSUP };
  }
}

/**
 * @param {Buffer} data
 * @param {HandshakeSetting & { tls: boolean, replyMode: string }} state
 */
function replyToInfo(data, state) {
  if (data.length > OPTION_BYTES_MAX) return { reply: TOO_BIG };
  if (data.length < 6) return { reply: INVALID };
  const nameLength = data.readUInt32BE(0);
  if (nameLength + 6 > data.length) return { reply: INVALID };
  if (nameLength > 4096) return { reply: TOO_BIG };
  const name = textOf(data.subarray(4, 4 + nameLength));
  const count = data.readUInt16BE(4 + nameLength);
  if (name === undefined || nameLength + 6 + 2 * count !== data.length) return { reply: INVALID };
  const refusal = refusalOf(name, state);
  // N8, SELECTIVETLS: a name that is not there is answered like one that needs TLS.
  const isHidden = state.tlsMode === 'per-export' && !state.tls && refusal !== POLICY;
  if (refusal !== undefined) return { reply: isHidden ? TLS_REQD : refusal };
  const asked = new Set(
    Array.from({ length: count }, (_, index) => data.readUInt16BE(6 + nameLength + 2 * index)),
  );
  if (state.blockSizeRequired && !asked.has(3)) return { reply: BLOCK_SIZE_REQD, informations: -1 };
  return { reply: ACK, informations: -1 };
}

/**
 * @param {number} option
 * @param {Buffer} data
 * @param {HandshakeSetting & { tls: boolean, replyMode: string }} state
 */
function replyToContexts(option, data, state) {
  if (data.length > OPTION_BYTES_MAX) return { reply: TOO_BIG };
  const texts = [];
  let rest = data;
  for (let count = 1, index = 0; index < count; index += 1) {
    if (rest.length < 4) return { reply: INVALID };
    const length = rest.readUInt32BE(0);
    if (length + 4 > rest.length) return { reply: INVALID };
    if (length > 4096) return { reply: TOO_BIG };
    const text = textOf(rest.subarray(4, 4 + length));
    if (text === undefined || (index > 0 && text.indexOf(':') < 1)) return { reply: INVALID };
    texts.push(text);
    rest = rest.subarray(4 + length);
    if (index > 0) continue;
    if (rest.length < 4) return { reply: INVALID };
    count = 1 + rest.readUInt32BE(0);
    if (count > 65) return { reply: TOO_BIG };
    rest = rest.subarray(4);
  }
  if (rest.length > 0) return { reply: INVALID };
  const [name = '', ...queries] = texts;
  const refusal = refusalOf(name, state);
  // Only INFO and GO may tell of TLS (N8); whether there is such an export is a secret then.
  if (refusal !== undefined) return { reply: refusal === TLS_REQD ? UNKNOWN : refusal };
  if (state.contextsRefused) return { reply: POLICY };
  const offers = OFFERS.filter((offer) => offer !== WIDE || state.replyMode === 'extended');
  const isListed = (/** @type {string} */ offer) =>
    queries.length === 0 ||
    queries.some((query) => offer === query || (query.endsWith(':') && offer.startsWith(query)));
  if (option === 9) return { reply: ACK, informations: offers.filter(isListed).length };
  const contexts = offers.filter((offer) => queries.includes(offer));
  return { reply: ACK, informations: contexts.length, select: { name, contexts } };
}

/**
 * @param {string} name
 * @param {{ tlsMode: TlsMode, tls: boolean }} state
 */
function refusalOf(name, { tlsMode, tls }) {
  if (name === 'disk') return undefined;
  if (name === 'hidden') return POLICY;
  if (name === 'secret') return tlsMode === 'per-export' && !tls ? TLS_REQD : POLICY;
  return UNKNOWN;
}

/**
 * A string of the protocol; undefined if it is none.
 *
 * @param {Buffer} bytes
 */
function textOf(bytes) {
  const text = bytes.toString('utf8');
  return bytes.length <= 4096 && !bytes.includes(0) && Buffer.from(text).equals(bytes) ? text : undefined;
}
