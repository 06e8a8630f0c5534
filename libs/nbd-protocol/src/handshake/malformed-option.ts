import { OptionReplyType } from '../constants/option-replies.js';

/** Option data that cannot be used, and the error to answer. */
export interface MalformedOption {
  readonly error: typeof OptionReplyType.ERR_INVALID | typeof OptionReplyType.ERR_TOO_BIG;
  readonly message: string;
}

/** Data that breaks the syntax of its option. */
export function invalid(message: string): MalformedOption {
  return { error: OptionReplyType.ERR_INVALID, message };
}

/** Data that is well-formed, and beyond a limit. */
export function tooBig(message: string): MalformedOption {
  return { error: OptionReplyType.ERR_TOO_BIG, message };
}
