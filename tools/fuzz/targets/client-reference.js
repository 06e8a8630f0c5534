/**
 * What a client must make of a server's replies, told a second time and as simple as can be: the whole stream at once.
 * Where a rule is broken the rest is not read.
 */

/** @typedef {'simple' | 'structured' | 'extended'} ReplyMode */
/** @typedef {{ cookie: bigint, command: string, offset: bigint, length: bigint, df: boolean, reqOne: boolean, contexts: readonly number[], blockSize: bigint, exportSize: bigint }} Asked */
/** @typedef {{ offset: bigint | undefined }} Fault */

const CHUNK_BYTES_MAX = 64 * 1024 * 1024;
const EXTENTS_MAX = 2 ** 20;
const ERROR_BYTES_MAX = 8 * 1024;

class Broken extends Error {}

/** @param {boolean} truth */
function must(truth) {
  if (!truth) throw new Broken();
}

/**
 * @param {ReplyMode} mode
 * @param {readonly Asked[]} requests
 * @param {Uint8Array} stream
 * @returns {{ isBroken: boolean, outcomes: Map<bigint, string> }} of each request that was answered: `error`, or a digest
 */
export function readByReference(mode, requests, stream) {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  const replies = new Map(requests.map((asked) => [asked.cookie, new Reply(asked, mode)]));
  /** @type {Map<bigint, string>} */
  const outcomes = new Map();
  const done = (/** @type {Reply} */ reply) => {
    outcomes.set(reply.asked.cookie, reply.outcome());
    replies.delete(reply.asked.cookie);
  };
  try {
    for (let at = 0; at < bytes.length;) {
      const { next, reply, isLast } = readMessage(mode, replies, bytes, at);
      if (next === undefined) break;
      at = next;
      if (reply !== undefined && isLast) done(reply);
    }
    return { isBroken: false, outcomes };
  } catch (error) {
    if (error instanceof Broken) return { isBroken: true, outcomes };
    throw error;
  }
}

const UNFINISHED = { next: undefined, reply: undefined, isLast: false };

/**
 * @param {ReplyMode} mode
 * @param {Map<bigint, Reply>} replies
 * @param {Buffer} bytes
 * @param {number} at
 */
function readMessage(mode, replies, bytes, at) {
  const rest = bytes.length - at;
  if (mode === 'structured' && rest < 4) return UNFINISHED;
  if (mode === 'structured') must([0x67446698, 0x668e33ef].includes(bytes.readUInt32BE(at)));
  const isSimple = mode === 'simple' || (mode === 'structured' && bytes.readUInt32BE(at) === 0x67446698);
  const headerBytes = isSimple ? 16 : mode === 'structured' ? 20 : 32;
  if (rest < headerBytes) return UNFINISHED;
  const magic = bytes.readUInt32BE(at);
  must(magic === (isSimple ? 0x67446698 : mode === 'structured' ? 0x668e33ef : 0x6e8a278c));
  return isSimple ? readSimple(mode, replies, bytes, at) : readChunk(mode, replies, bytes, at, headerBytes);
}

/**
 * @param {ReplyMode} mode
 * @param {Map<bigint, Reply>} replies
 * @param {Buffer} bytes
 * @param {number} at
 */
function readSimple(mode, replies, bytes, at) {
  const error = bytes.readUInt32BE(at + 4);
  const reply = replies.get(bytes.readBigUInt64BE(at + 8));
  if (reply === undefined) throw new Broken();
  const isRead = reply.asked.command === 'READ';
  must(!(mode === 'structured' && isRead) && !reply.hasBegun);
  if (error !== 0) reply.faults.push({ offset: undefined });
  const length = isRead && error === 0 ? Number(reply.asked.length) : 0;
  const end = at + 16 + length;
  if (end > bytes.length) return UNFINISHED;
  if (length > 0) reply.addData(reply.asked.offset, bytes.subarray(at + 16, end));
  reply.checkWhole();
  return { next: end, reply, isLast: true };
}

/**
 * @param {ReplyMode} mode
 * @param {Map<bigint, Reply>} replies
 * @param {Buffer} bytes
 * @param {number} at
 * @param {number} headerBytes
 */
function readChunk(mode, replies, bytes, at, headerBytes) {
  const isExtended = mode === 'extended';
  const isLast = (bytes.readUInt16BE(at + 4) & 1) !== 0;
  const type = bytes.readUInt16BE(at + 6);
  const length = isExtended ? bytes.readBigUInt64BE(at + 24) : BigInt(bytes.readUInt32BE(at + 16));
  must(length <= CHUNK_BYTES_MAX);
  const reply = replies.get(bytes.readBigUInt64BE(at + 8));
  if (reply === undefined) throw new Broken();
  if (isExtended) must(Number(bytes.readBigUInt64BE(at + 16)) === Number(reply.asked.offset));
  reply.admit(type, Number(length), isLast, isExtended);
  reply.hasBegun = true;
  const start = at + headerBytes;
  const end = start + Number(length);
  // Where data goes is told before it comes.
  if (type === 1 && start + 8 <= bytes.length) reply.addRange(bytes.readBigUInt64BE(start), length - 8n);
  if (end > bytes.length) return UNFINISHED;
  reply.take(type, bytes.subarray(start, end), isExtended);
  if (isLast) reply.checkWhole();
  return { next: end, reply, isLast };
}

/** One reply while its parts come in. */
class Reply {
  hasBegun = false;
  /** @type {Fault[]} */
  faults = [];
  /** @type {{ from: bigint, to: bigint }[]} */
  #ranges = [];
  #data;
  #contents = 0;
  /** @type {Map<number, string>} */
  #statuses = new Map();

  /**
   * @param {Asked} asked
   * @param {ReplyMode} mode
   */
  constructor(asked, mode) {
    this.asked = asked;
    this.mode = mode;
    this.#data = Buffer.alloc(asked.command === 'READ' ? Number(asked.length) : 0);
  }

  /** @type {(type: number, length: number, isLast: boolean, isExtended: boolean) => void} */
  admit(type, length, isLast, isExtended) {
    const { command, df, contexts } = this.asked;
    const isError = type >= 0x8000;
    if (type === 0) must(length === 0 && isLast);
    else if (type === 1 || type === 2 || (type === 3 && isExtended)) {
      must(command === 'READ' && !(df && this.#contents > 0));
      this.#contents += 1;
      must(type === 1 ? length > 8 : length === (type === 2 ? 12 : 16));
    } else if (type === 5 || type === 6) {
      const count = isExtended ? (length - 8) / 16 : (length - 4) / 8;
      must(command === 'BLOCK_STATUS' && (type === 6) === isExtended);
      must(Number.isInteger(count) && count >= 1 && count <= EXTENTS_MAX);
      must(this.#statuses.size < contexts.length);
    } else must(isError && length >= 6 && length <= ERROR_BYTES_MAX);
  }

  /** @type {(type: number, payload: Buffer, isExtended: boolean) => void} */
  take(type, payload, isExtended) {
    if (type === 0) return;
    if (type === 1) this.#put(payload.readBigUInt64BE(0), payload.subarray(8));
    else if (type === 2) this.#addHole(payload.readBigUInt64BE(0), BigInt(payload.readUInt32BE(8)));
    else if (type === 3) this.#addHole(payload.readBigUInt64BE(0), payload.readBigUInt64BE(8));
    else if (type < 0x8000) this.#addStatus(payload, isExtended);
    else this.#addError(type, payload);
  }

  /** @type {(offset: bigint, data: Buffer) => void} */
  addData(offset, data) {
    this.addRange(offset, BigInt(data.length));
    this.#put(offset, data);
  }

  /** @type {(offset: bigint, length: bigint) => void} */
  addRange(from, length) {
    const { offset, length: asked } = this.asked;
    const to = from + length;
    must(length > 0n && from >= offset && to <= offset + asked);
    must(
      !this.faults.some((fault) => fault.offset !== undefined && fault.offset >= from && fault.offset < to),
    );
    must(!this.#ranges.some((range) => from < range.to && range.from < to));
    this.#ranges.push({ from, to });
  }

  /** @type {(offset: bigint, length: bigint) => void} */
  #addHole(offset, length) {
    must(length > 0n);
    this.addRange(offset, length);
    this.#put(offset, Buffer.alloc(Number(length)));
  }

  /** @type {(offset: bigint, data: Buffer) => void} */
  #put(offset, data) {
    this.#data.set(data, Number(offset - this.asked.offset));
  }

  /** @type {(payload: Buffer, isExtended: boolean) => void} */
  #addStatus(payload, isExtended) {
    const { offset, length: asked, contexts, reqOne, blockSize, exportSize } = this.asked;
    const [start, size] = isExtended ? [8, 16] : [4, 8];
    const count = (payload.length - start) / size;
    if (isExtended) must([0, count].includes(payload.readUInt32BE(4)));
    const extents = Array.from({ length: count }, (_, index) => {
      const at = start + size * index;
      return isExtended
        ? { length: payload.readBigUInt64BE(at), flags: payload.readBigUInt64BE(at + 8) }
        : { length: BigInt(payload.readUInt32BE(at)), flags: BigInt(payload.readUInt32BE(at + 4)) };
    });
    const id = payload.readUInt32BE(0);
    must(extents.every(({ length }) => length > 0n) && contexts.includes(id) && !this.#statuses.has(id));
    must(!reqOne || count === 1);
    let total = 0n;
    for (const { length } of extents) {
      must(total < asked);
      total += length;
      must(total % blockSize === 0n || offset + total >= exportSize);
    }
    must(!reqOne || total <= asked);
    this.#statuses.set(id, extents.map(({ length, flags }) => `${length}:${flags}`).join(' '));
  }

  /** @type {(type: number, payload: Buffer) => void} */
  #addError(type, payload) {
    const { offset, length } = this.asked;
    const end = 6 + payload.readUInt16BE(4);
    must(payload.readUInt32BE(0) !== 0 && end <= payload.length);
    const text = payload.subarray(6, end);
    must(text.length <= 4096 && !text.includes(0) && Buffer.from(text.toString()).equals(text));
    if (type !== 0x8002) {
      this.faults.push({ offset: undefined });
      return;
    }
    must(end + 8 === payload.length);
    const at = payload.readBigUInt64BE(end);
    must(length === 0n || (at >= offset && at < offset + length));
    this.faults.push({ offset: at });
  }

  checkWhole() {
    if (this.faults.length > 0) return;
    const { command, contexts, length } = this.asked;
    const covered = this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0n);
    if (command === 'READ') must(covered === length);
    if (command === 'BLOCK_STATUS') must(contexts.every((id) => this.#statuses.has(id)));
  }

  outcome() {
    if (this.faults.length > 0) return 'error';
    if (this.asked.command === 'READ') return this.#data.toString('base64');
    return this.asked.contexts.map((id) => `${id}=${this.#statuses.get(id)}`).join(';');
  }
}
