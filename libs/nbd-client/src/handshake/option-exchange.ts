import type { Option } from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';

/** An option that has a name, such as `GO`. */
export type OptionName = keyof typeof Option;

/** What an accepted option leads to. */
export type AfterOption = 'options' | 'tls' | 'transmission' | 'closed';

/** One option and what becomes of its replies (section "Fixed newstyle negotiation"). Each is used once. */
export interface OptionExchange<Result> {
  readonly option: OptionName;
  readonly data: Uint8Array;
  /** Takes a reply that is neither the ACK nor an error; its data is lent for the call. @throws NbdProtocolError */
  readonly take: (type: number, data: Uint8Array) => void;
  /** What the ACK makes of the replies. @throws NbdProtocolError if one is missing */
  readonly finish: () => Result;
  readonly after: AfterOption;
}

/** A reply of a kind that an option does not have. */
export function unexpectedReply(option: OptionName, type: number): NbdProtocolError {
  return new NbdProtocolError('unexpected-option-reply', `type ${String(type)} in answer to ${option}`);
}

/** A reply of the right kind with wrong data. */
export function malformedReply(option: OptionName): NbdProtocolError {
  return new NbdProtocolError('malformed-option-reply', `in answer to ${option}`);
}

/** A reply above the number of them that is taken (T19). */
export function tooManyReplies(option: OptionName, max: number): NbdProtocolError {
  return new NbdProtocolError('too-many-option-replies', `more than ${String(max)} in answer to ${option}`);
}
