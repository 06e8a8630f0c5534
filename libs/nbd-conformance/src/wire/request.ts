import { Buffer } from 'node:buffer';
import {
  Command,
  CommandFlag,
  EXTENDED_REQUEST_MAGIC,
  REQUEST_MAGIC,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { bytesOf } from './bytes.js';

/** A request as a check wants it; what is left out is zero. */
export interface Request {
  readonly type: number;
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly offset?: bigint;
  /** The payload's, unless told. */
  readonly length?: number | bigint;
  readonly payload?: Uint8Array;
  /** In extended mode, whether PAYLOAD_LEN is set; on WRITE unless told. */
  readonly payloadLen?: boolean;
}

/** How a request is laid out in a mode. */
export function encode(mode: ReplyMode, request: Request): Buffer {
  const { type, flags = 0, cookie = 0n, offset = 0n, payload = Buffer.alloc(0) } = request;
  const length = request.length ?? payload.length;
  if (mode !== 'extended') {
    return bytesOf(
      [32, REQUEST_MAGIC],
      [16, flags],
      [16, type],
      [64, cookie],
      [64, offset],
      [32, length],
      payload,
    );
  }
  const payloadLen = request.payloadLen ?? type === Command.WRITE;
  return bytesOf(
    [32, EXTENDED_REQUEST_MAGIC],
    [16, payloadLen ? flags | CommandFlag.PAYLOAD_LEN : flags],
    [16, type],
    [64, cookie],
    [64, offset],
    [64, length],
    payload,
  );
}

/** The name of a command as the specification has it. */
export function commandName(type: number): string {
  const name = Object.entries(Command).find(([, value]) => value === type)?.[0];
  return name === undefined ? `command ${type}` : `NBD_CMD_${name}`;
}
