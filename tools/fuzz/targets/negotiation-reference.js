/** What a client must make of a server's handshake, told a second time and as simple as can be. */

const ACK = 1;
const REPLY_BYTES_MAX = 4 + 2 * 4096;

/** @typedef {'STRUCTURED_REPLY' | 'EXTENDED_HEADERS' | 'LIST' | 'INFO' | 'LIST_META_CONTEXT' | 'SET_META_CONTEXT' | 'GO' | 'EXPORT_NAME'} Asked */

/** @type {Record<string, number>} */
export const OPTIONS = {
  EXPORT_NAME: 1,
  LIST: 3,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
  EXTENDED_HEADERS: 11,
};

class Broken extends Error {}

/** @param {boolean} truth */
function must(truth) {
  if (!truth) throw new Broken();
}

/**
 * @param {readonly Asked[]} script the options, one after the other
 * @param {Uint8Array} stream everything that the server sends
 * @returns {string[]} what each came to; the last is `broken`, `waiting`, `transmission` or `done`
 */
export function negotiateByReference(script, stream) {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  /** @type {string[]} */
  const outcomes = [];
  try {
    return follow(script, bytes, outcomes);
  } catch (error) {
    if (error instanceof Broken) return [...outcomes, 'broken'];
    throw error;
  }
}

/** @type {(script: readonly Asked[], bytes: Buffer, outcomes: string[]) => string[]} */
function follow(script, bytes, outcomes) {
  must(Buffer.from('NBDMAGIC').subarray(0, bytes.length).equals(bytes.subarray(0, 8)));
  if (bytes.length >= 16) must(bytes.subarray(8, 16).toString('hex') !== '0000420281861253');
  if (bytes.length < 18) return [...outcomes, 'waiting'];
  must(bytes.toString('latin1', 8, 16) === 'IHAVEOPT');
  const flags = bytes.readUInt16BE(16);
  must((flags & 1) !== 0);
  let at = 18;
  for (const asked of script) {
    if (asked === 'EXPORT_NAME') {
      const length = (flags & 2) !== 0 ? 10 : 134;
      if (bytes.length - at < length) return [...outcomes, 'waiting'];
      const transmissionFlags = bytes.readUInt16BE(at + 8);
      must((transmissionFlags & 1) !== 0);
      outcomes.push(`export ${bytes.readBigUInt64BE(at)} ${transmissionFlags}`);
      return [...outcomes, 'transmission'];
    }
    const answer = new Answer(asked);
    for (;;) {
      if (bytes.length - at < 20) return [...outcomes, 'waiting'];
      must(bytes.readBigUInt64BE(at) === 0x3e889045565a9n);
      const length = bytes.readUInt32BE(at + 16);
      must(length <= REPLY_BYTES_MAX);
      if (bytes.length - at - 20 < length) return [...outcomes, 'waiting'];
      must(bytes.readUInt32BE(at + 8) === OPTIONS[asked]);
      const type = bytes.readUInt32BE(at + 12);
      const data = bytes.subarray(at + 20, at + 20 + length);
      at += 20 + length;
      if (type >= 2 ** 31) {
        outcomes.push('refused');
        break;
      }
      if (type === ACK) {
        must(length === 0);
        outcomes.push(answer.result());
        if (asked === 'GO') return [...outcomes, 'transmission'];
        break;
      }
      answer.take(type, data);
    }
  }
  return [...outcomes, 'done'];
}

/** What comes before the ACK. */
class Answer {
  #asked;
  #replies = 0;
  /** @type {string[]} */
  #items = [];
  /** @type {Set<number>} */
  #ids = new Set();
  #size = '';

  /** @param {Asked} asked */
  constructor(asked) {
    this.#asked = asked;
  }

  /** @type {(type: number, data: Buffer) => void} */
  take(type, data) {
    this.#replies += 1;
    switch (this.#asked) {
      case 'LIST': {
        must(type === 2 && this.#replies <= 10_000 && data.length >= 4);
        const length = data.readUInt32BE(0);
        must(length + 4 <= data.length);
        this.#items.push(`${textOf(data.subarray(4, 4 + length))}|${textOf(data.subarray(4 + length))}`);
        return;
      }
      case 'LIST_META_CONTEXT':
      case 'SET_META_CONTEXT': {
        must(type === 4 && this.#replies <= (this.#asked === 'LIST_META_CONTEXT' ? 4096 : 64));
        must(data.length >= 4);
        this.#ids.add(data.readUInt32BE(0));
        this.#items.push(textOf(data.subarray(4)));
        return;
      }
      case 'INFO':
      case 'GO':
        must(type === 3 && this.#replies <= 64 && data.length >= 2);
        this.#takeInfo(data.readUInt16BE(0), data);
        return;
      default:
        must(false);
    }
  }

  /** @type {(kind: number, data: Buffer) => void} */
  #takeInfo(kind, data) {
    if (kind === 0) {
      must(data.length === 12 && (data.readUInt16BE(10) & 1) !== 0);
      this.#size = `${data.readBigUInt64BE(2)} ${data.readUInt16BE(10)}`;
    }
    if (kind === 1 || kind === 2) textOf(data.subarray(2));
    if (kind !== 3) return;
    must(data.length === 14);
    const [minimum, preferred, maximum] = [2, 6, 10].map((at) => data.readUInt32BE(at));
    const isPower = (/** @type {number} */ value) => Number.isInteger(Math.log2(value));
    must(isPower(minimum ?? 0) && (minimum ?? 0) <= 0x10000 && isPower(preferred ?? 0));
    must((preferred ?? 0) >= Math.max(minimum ?? 0, 512) && (maximum ?? 0) >= (preferred ?? 0));
  }

  result() {
    const asked = this.#asked;
    if (asked === 'INFO' || asked === 'GO') must(this.#size !== '');
    if (asked === 'SET_META_CONTEXT') must(this.#ids.size === this.#items.length);
    return asked === 'INFO' || asked === 'GO' ? this.#size : this.#items.join(',');
  }
}

/** @param {Buffer} bytes */
function textOf(bytes) {
  const text = bytes.toString();
  must(bytes.length <= 4096 && !bytes.includes(0) && Buffer.from(text).equals(bytes));
  return text;
}
