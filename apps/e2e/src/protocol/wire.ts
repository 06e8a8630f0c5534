import type { ReplyMode } from './reply-modes.js';
import { Cmd, CmdFlag, Info, Opt } from './spec-numbers.js';

/** `NBDMAGIC`, `IHAVEOPT`, FIXED_NEWSTYLE | NO_ZEROES */
export const GREETING = Buffer.from('4e42444d41474943' + '49484156454f5054' + '0003', 'hex');

/** FIXED_NEWSTYLE 1, NO_ZEROES 2 */
export function clientFlags(flags = 3): Buffer {
  return uint32(flags);
}

export function optionHeader(code: number, lengthBytes: number): Buffer {
  return Buffer.concat([Buffer.from('IHAVEOPT'), uint32(code), uint32(lengthBytes)]);
}

export function option(code: number, data: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([optionHeader(code, bytes.length), bytes]);
}

/** The data of INFO and GO. */
export function infoData(name: Uint8Array | string, ...infoTypes: readonly number[]): Buffer {
  const bytes = Buffer.from(name);
  return Buffer.concat([uint32(bytes.length), bytes, uint16(infoTypes.length), ...infoTypes.map(uint16)]);
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function contextData(name: string, ...queries: readonly string[]): Buffer {
  const sized = (text: string) => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);
  return Buffer.concat([sized(name), uint32(queries.length), ...queries.map(sized)]);
}

export function go(name: Uint8Array | string, ...infoTypes: readonly number[]): Buffer {
  return option(Opt.GO, infoData(name, ...infoTypes));
}

/** An option reply. */
export function optionReply(code: number, type: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const magic = Buffer.from('0003e889045565a9', 'hex');
  return Buffer.concat([magic, uint32(code), uint32(type), uint32(data.length), data]);
}

/** The data of a REP_INFO with NBD_INFO_EXPORT. */
export function infoExport(sizeBytes: number, flags: number): Buffer {
  return Buffer.concat([uint16(Info.EXPORT), uint64(sizeBytes), uint16(flags)]);
}

export interface RequestFields {
  readonly type: number;
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly offset?: number | bigint;
  /** The payload's, unless told. */
  readonly length?: number;
  readonly payload?: Uint8Array;
}

/** As it is sent in a mode; in extended mode WRITE announces its payload. */
export function requestIn(mode: ReplyMode, fields: RequestFields): Buffer {
  if (mode !== 'extended') return request(fields);
  const { type, flags = 0, cookie = 0n, offset = 0, length, payload = Buffer.alloc(0) } = fields;
  return Buffer.concat([
    Buffer.from('21e41c71', 'hex'),
    uint16(type === Cmd.WRITE ? flags | CmdFlag.PAYLOAD_LEN : flags),
    uint16(type),
    uint64(cookie),
    uint64(offset),
    uint64(length ?? payload.length),
    payload,
  ]);
}

/** As it is sent in simple and structured mode. */
export function request({ type, flags, cookie, offset, length, payload }: RequestFields): Buffer {
  return Buffer.concat([
    Buffer.from('25609513', 'hex'),
    uint16(flags ?? 0),
    uint16(type),
    uint64(cookie ?? 0n),
    uint64(offset ?? 0),
    uint32(length ?? payload?.length ?? 0),
    payload ?? Buffer.alloc(0),
  ]);
}

/** A simple reply. */
export function simpleReply(cookie: bigint, error: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from('67446698', 'hex'), uint32(error), uint64(cookie), data]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
