import { Buffer } from 'node:buffer';

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
