import { toNbdError, NbdError } from '../constants/errors.js';
import { encodeErrorChunk } from './messages/error-chunk.js';

/** An error as a reply tells it. All that there are are made ahead, so that an answer allocates nothing. */
export class ReplyError {
  readonly code: NbdError;
  /** For a human at the client; simple replies have no room for it. */
  readonly text: string;
  /** Payload of an ERROR chunk, and the start of that of an ERROR_OFFSET. */
  readonly payload: Uint8Array;

  constructor(code: NbdError, text: string) {
    this.code = code;
    this.text = text;
    this.payload = encodeErrorChunk({ error: code, message: text });
  }
}

const { EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN } = NbdError;

/** Why requests are refused before anything is done for them. */
export const Refusal = {
  readOnly: new ReplyError(EPERM, 'the export is read-only'),
  unknownCommand: new ReplyError(EINVAL, 'the command is unknown'),
  notOffered: new ReplyError(EINVAL, 'the export does not offer this command'),
  noContext: new ReplyError(EINVAL, 'no metadata context was selected'),
  flag: new ReplyError(EINVAL, 'a flag is unknown, was not offered, or is not of this command'),
  payloadMissing: new ReplyError(EINVAL, 'with extended headers a WRITE has the flag PAYLOAD_LEN'),
  flushRange: new ReplyError(EINVAL, 'a FLUSH has no offset and no length'),
  noLength: new ReplyError(EINVAL, 'the length is zero'),
  readTooLong: new ReplyError(EINVAL, 'the READ is longer than the maximum payload'),
  beyondEnd: new ReplyError(EINVAL, 'the range does not lie within the export'),
  noSpace: new ReplyError(ENOSPC, 'the range does not lie within the export'),
  misaligned: new ReplyError(EINVAL, 'offset or length is not a multiple of the minimum block size'),
  filter: new ReplyError(EINVAL, 'the payload is not a length and the distinct ids of selected contexts'),
  shuttingDown: new ReplyError(ESHUTDOWN, 'the server is shutting down'),
} as const;

const ioError = new ReplyError(EIO, 'the device failed');
const failures: readonly ReplyError[] = [
  new ReplyError(EPERM, 'the server may not do this to the device'),
  ioError,
  new ReplyError(ENOMEM, 'the server is out of memory'),
  new ReplyError(EINVAL, 'the device does not accept this'),
  new ReplyError(ENOSPC, 'the device has no space left'),
  new ReplyError(EOVERFLOW, 'the device does not accept a value this large'),
  new ReplyError(ENOTSUP, 'the device cannot do this, or not fast'),
  new ReplyError(ESHUTDOWN, 'the device is shutting down'),
];
const failureOf = new Map(failures.map((failure) => [failure.code, failure]));

/** What to answer when the device reported a Linux errno (not 0). */
export function failureOfErrno(linuxErrno: number): ReplyError {
  return failureOf.get(toNbdError(linuxErrno)) ?? ioError;
}
