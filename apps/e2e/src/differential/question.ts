import { Cmd, CmdFlag } from '../protocol/spec-numbers.js';
import { uint16, uint32, uint64 } from '../protocol/wire.js';

export const replyModes = ['simple', 'structured', 'extended'] as const;
export type ReplyMode = (typeof replyModes)[number];

/** One request, as both servers get it. */
export interface Question {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly length: bigint;
  /** What follows the header. */
  readonly payload?: Buffer;
  /** Of a BLOCK_STATUS with a payload: the bytes that it asks about, and whether about the context that was selected. */
  readonly filter?: { readonly length: bigint; readonly ids: readonly ('selected' | 'other')[] };
}

export const MAXIMUM_PAYLOAD = 32 * 1024 * 1024;

/** Whether a server may refuse to read the payload, and then has to end the connection. */
export function endsConnection({ type, length }: Question): boolean {
  return type === Cmd.WRITE && length > MAXIMUM_PAYLOAD;
}

/** A question as bytes; the id of a context is the server's to choose. */
export function questionBytes(
  question: Question,
  mode: ReplyMode,
  cookie: bigint,
  contextId: number,
): Buffer {
  const { type, offset, filter } = question;
  const payload = filter === undefined ? question.payload : filterBytes(filter, contextId);
  const flags = question.flags | (mode === 'extended' && payload !== undefined ? CmdFlag.PAYLOAD_LEN : 0);
  const length = filter === undefined ? question.length : BigInt(payload?.length ?? 0);
  return Buffer.concat([
    Buffer.from(mode === 'extended' ? '21e41c71' : '25609513', 'hex'),
    uint16(flags),
    uint16(type),
    uint64(cookie),
    uint64(offset),
    mode === 'extended' ? uint64(length) : uint32(Number(length)),
    payload ?? Buffer.alloc(0),
  ]);
}

/** For the message of a test that fails. */
export function questionText({ type, flags, offset, length, payload, filter }: Question): string {
  const name = Object.entries(Cmd).find(([, code]) => code === type)?.[0] ?? `command ${String(type)}`;
  const set = Object.entries(CmdFlag).filter(([, bit]) => (flags & bit) !== 0);
  const known = set.reduce((sum, [, bit]) => sum | bit, 0);
  const flagText = [
    ...set.map(([flag]) => flag),
    ...(flags === known ? [] : [`0x${flags.toString(16)}`]),
  ].join('|');
  const what = filter === undefined ? '' : ` about ${filter.length} bytes of ${filter.ids.join('+')}`;
  const payloadText = payload === undefined ? '' : ` with ${payload.length} bytes`;
  return `${name}${flagText === '' ? '' : ` ${flagText}`} ${length}@${offset}${payloadText}${what}`;
}

function filterBytes({ length, ids }: NonNullable<Question['filter']>, contextId: number): Buffer {
  return Buffer.concat([
    uint64(length),
    ...ids.map((id) => uint32(id === 'selected' ? contextId : contextId + 77)),
  ]);
}
