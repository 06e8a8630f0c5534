import type { Buffer } from 'node:buffer';
import { OPTION_REPLY_MAGIC, OptionReplyType } from '@holdfast/nbd-protocol';
import { OPTION_REPLIES_MAX, OPTION_REPLY_BYTES_MAX } from '../limits.js';
import { PeerFault } from '../peer-fault.js';
import { hex } from './bytes.js';
import { optionName } from './option.js';
import type { RawStream } from './raw-stream.js';

export interface OptionReply {
  readonly type: number;
  readonly data: Buffer;
}

/** All replies to one option. */
export interface OptionAnswer {
  /** Those before the last. */
  readonly details: readonly OptionReply[];
  /** The last, which decides: ACK or an error. */
  readonly end: OptionReply;
}

const ERROR_BIT = 0x8000_0000;

/** Reads replies to an option, up to the one that decides. @throws PeerFault if what comes is no reply to it */
export async function readAnswer(stream: RawStream, code: number): Promise<OptionAnswer> {
  const details: OptionReply[] = [];
  while (details.length < OPTION_REPLIES_MAX) {
    const reply = await readReply(stream, code);
    if (reply.type === OptionReplyType.ACK || reply.type >= ERROR_BIT) return { details, end: reply };
    details.push(reply);
  }
  throw new PeerFault(`more than ${OPTION_REPLIES_MAX} replies to ${optionName(code)}`);
}

async function readReply(stream: RawStream, code: number): Promise<OptionReply> {
  const header = await stream.read(20);
  const magic = header.readBigUInt64BE(0);
  if (magic !== OPTION_REPLY_MAGIC) throw new PeerFault(`${hex(magic)} in place of an option reply`);
  const answered = header.readUInt32BE(8);
  if (answered !== code) throw new PeerFault(`a reply to ${optionName(answered)}`);
  const length = header.readUInt32BE(16);
  if (length > OPTION_REPLY_BYTES_MAX) throw new PeerFault(`an option reply of ${length} bytes`);
  return { type: header.readUInt32BE(12), data: await stream.read(length) };
}

/** The name of a type of reply as the specification has it. */
export function replyName(type: number): string {
  const name = Object.entries(OptionReplyType).find(([, value]) => value === type)?.[0];
  return name === undefined ? `reply type ${hex(type)}` : `NBD_REP_${name}`;
}

/** @returns what came, undefined if it is one of those expected */
export function unlessReply({ end }: OptionAnswer, ...expected: readonly number[]): string | undefined {
  return expected.includes(end.type) ? undefined : replyName(end.type);
}

export function isError({ end }: OptionAnswer): boolean {
  return end.type !== OptionReplyType.ACK;
}
