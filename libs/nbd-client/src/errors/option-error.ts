import { HoldfastError } from '@holdfast/foundation';
import { OptionReplyType } from '@holdfast/nbd-protocol';
import { serverText } from './server-text.js';

/** The name of an error reply, such as `ERR_UNKNOWN`; `ERR_OTHER` is one that this client does not know. */
export type OptionErrorName = Extract<keyof typeof OptionReplyType, `ERR_${string}`> | 'ERR_OTHER';

const advice: Record<OptionErrorName, string> = {
  ERR_UNSUP: 'it does not support this',
  ERR_POLICY: 'its configuration forbids it',
  ERR_INVALID: 'it takes the request for invalid',
  ERR_PLATFORM: 'it was built without it',
  ERR_TLS_REQD: 'it insists on TLS: connect by nbds:// or nbds+unix://',
  ERR_UNKNOWN: 'it has no such export',
  ERR_SHUTDOWN: 'it is being shut down',
  ERR_BLOCK_SIZE_REQD: 'it insists on clients that ask for its block sizes',
  ERR_TOO_BIG: 'request or answer are too large for it',
  ERR_EXT_HEADER_REQD: 'it insists on extended headers, or has them already',
  ERR_OTHER: 'it gives a reason that this client does not know',
};

function nameOf(replyType: number): OptionErrorName {
  const names = Object.keys(advice) as OptionErrorName[];
  return names.find((name) => name !== 'ERR_OTHER' && OptionReplyType[name] === replyType) ?? 'ERR_OTHER';
}

/** A server answered an option with an error. The handshake may go on with another option. */
export class NbdOptionError extends HoldfastError {
  /** The option that was refused, such as `GO`. */
  readonly option: string;
  readonly replyName: OptionErrorName;
  /** What the server says about it; empty if it says nothing. */
  readonly serverMessage: string;

  constructor(option: string, replyType: number, serverMessage: string) {
    const replyName = nameOf(replyType);
    const words = serverText(serverMessage);
    const said = words === '' ? '' : `; it says: ${words}`;
    super(
      'NBD_OPTION_REFUSED',
      `the NBD server refused ${option} (NBD_REP_${replyName}): ${advice[replyName]}${said}`,
      { option, reply: replyName },
    );
    this.option = option;
    this.replyName = replyName;
    this.serverMessage = serverMessage;
  }
}
