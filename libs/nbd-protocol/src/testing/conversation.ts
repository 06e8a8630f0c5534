import { Buffer } from 'node:buffer';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type {
  ExportDescription,
  ExportListing,
  HandshakeEnd,
  HandshakeLimits,
  HandshakeRequest,
  Refusal,
  RefusalReason,
} from '../handshake/handshake-request.js';
import { ServerHandshake } from '../handshake/server-handshake.js';

/** What the owner of a handshake decides. */
export interface Owner {
  readonly listings: readonly ExportListing[] | RefusalReason;
  readonly describe: (exportName: string) => ExportDescription | RefusalReason;
}

export interface Conversation {
  /** Everything that the server sent after its greeting. */
  readonly sent: Buffer;
  /** What the owner was asked. */
  readonly questions: readonly string[];
  readonly end: HandshakeEnd | 'transmission' | 'still open';
  /** What came after the handshake. */
  readonly remainder: Buffer;
  /** Times that the machine was asked what to do. */
  readonly steps: number;
  /** Most bytes held while more were awaited. */
  readonly bufferedBytesMax: number;
}

export const DISK: ExportDescription = {
  name: 'disk',
  description: 'a disk',
  sizeBytes: 0x0102_0304_0506_0708n,
  transmissionFlags: TransmissionFlag.SEND_FLUSH | TransmissionFlag.SEND_TRIM,
  blockSize: { minimum: 512, preferred: 4096, payloadMaximum: 32 * 1024 * 1024 },
};

/** Has one export, `disk`; `hidden` is refused by policy, every other name is unknown. */
export const OWNER: Owner = {
  listings: [
    { name: 'disk', description: 'a disk' },
    { name: 'plain', description: '' },
  ],
  describe: (exportName) => (exportName === 'disk' ? DISK : exportName === 'hidden' ? 'policy' : 'unknown'),
};

/** Pushes the chunks one by one and does what the machine asks, as a gateway would. */
export function converse(
  chunks: readonly Uint8Array[],
  owner: Owner = OWNER,
  limits?: HandshakeLimits,
): Conversation {
  const machine = new ServerHandshake(limits);
  const sent: Uint8Array[] = [];
  const questions: string[] = [];
  const waiting = [...chunks];
  let end: Conversation['end'] = 'still open';
  let steps = 0;
  let bufferedBytesMax = 0;

  while (end === 'still open') {
    const request = machine.next();
    steps += 1;
    if (request.kind === 'need-input') {
      bufferedBytesMax = Math.max(bufferedBytesMax, machine.bufferedBytes);
      const chunk = waiting.shift();
      if (chunk === undefined) break;
      machine.push(chunk);
    } else if (request.kind === 'close') {
      sent.push(request.bytes ?? Buffer.alloc(0));
      end = request.reason;
    } else if (request.kind === 'reply') {
      sent.push(request.bytes);
    } else {
      questions.push(request.kind === 'list' ? 'list' : `${request.kind} ${request.exportName}`);
      sent.push(answer(machine, request, owner));
      if (machine.phase === 'transmission') end = 'transmission';
    }
  }
  const rest = end === 'transmission' ? [machine.takeRemainder(), ...waiting] : [];
  return {
    sent: Buffer.concat(sent),
    questions,
    end,
    remainder: Buffer.concat(rest),
    steps,
    bufferedBytesMax,
  };
}

function answer(
  machine: ServerHandshake,
  request: Extract<HandshakeRequest, { kind: 'list' | 'info' | 'go' }>,
  owner: Owner,
): Uint8Array {
  const refuse = (reason: RefusalReason): Refusal => machine.refuse(reason, `refused: ${reason}`);
  if (request.kind === 'list') {
    return typeof owner.listings === 'string'
      ? refuse(owner.listings).bytes
      : machine.answerList(owner.listings);
  }
  const description = owner.describe(request.exportName);
  if (typeof description === 'string') return refuse(description).bytes;
  return request.kind === 'info' ? machine.answerInfo(description) : machine.answerGo(description);
}

/** Client flags as a test writes them, apart from the encoder under test. */
export function clientFlags(flags = 3): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(flags);
  return bytes;
}

/** An option as a test writes it. */
export function option(code: number, data: Uint8Array | string = ''): Buffer {
  const content = Buffer.from(data);
  const header = Buffer.alloc(16);
  header.write('IHAVEOPT');
  header.writeUInt32BE(code, 8);
  header.writeUInt32BE(content.length, 12);
  return Buffer.concat([header, content]);
}

/** The data of an INFO or GO. */
export function infoData(name: Uint8Array | string, ...infoTypes: readonly number[]): Buffer {
  const content = Buffer.from(name);
  const nameLength = Buffer.alloc(4);
  nameLength.writeUInt32BE(content.length);
  const requests = Buffer.alloc(2 + 2 * infoTypes.length);
  requests.writeUInt16BE(infoTypes.length);
  infoTypes.forEach((infoType, index) => requests.writeUInt16BE(infoType, 2 + 2 * index));
  return Buffer.concat([nameLength, content, requests]);
}

/** The data of a LIST_META_CONTEXT or SET_META_CONTEXT. */
export function contextData(name: Uint8Array | string, ...queries: readonly (Uint8Array | string)[]): Buffer {
  const sized = (text: Uint8Array | string) => {
    const content = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, content]);
  };
  const count = Buffer.alloc(4);
  count.writeUInt32BE(queries.length);
  return Buffer.concat([sized(name), count, ...queries.map(sized)]);
}

/** A reply as a reader sees it: `6 ACK`, with the text of an error. */
export interface ReadReply {
  readonly option: number;
  readonly type: number;
  readonly data: string;
}

/** Takes a stream of option replies apart; data as hexadecimal, of errors as text. */
export function repliesOf(stream: Buffer): ReadReply[] {
  const replies: ReadReply[] = [];
  for (let at = 0; at < stream.length;) {
    if (stream.readBigUInt64BE(at) !== 0x3e889045565a9n) throw new Error(`no option reply at ${at}`);
    const type = stream.readUInt32BE(at + 12);
    const end = at + 20 + stream.readUInt32BE(at + 16);
    const data = stream.subarray(at + 20, end).toString(type >= 0x8000_0000 ? 'utf8' : 'hex');
    replies.push({ option: stream.readUInt32BE(at + 8), type, data });
    at = end;
  }
  return replies;
}

/** Only what kind of replies came. */
export function replyTypesOf(stream: Buffer): number[] {
  return repliesOf(stream).map(({ type }) => type);
}
