import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { RequestHeader } from './messages/request.js';
import type { TransmissionFacts } from './transmission-facts.js';

const VALID = 0;

/**
 * Holds a request against what the handshake announced, in this order, where the first finding decides:
 *
 * 1. the command is known (T1), else EINVAL
 * 2. it changes nothing on a read-only export (T4, T18), else EPERM: even commands that such an export does not offer,
 *    for "read-only" is what the client needs to hear
 * 3. it was offered, else EINVAL
 * 4. so was every flag, and it belongs to the command (T2, T14), else EINVAL
 * 5. a FLUSH has no offset and no length ("MUST be set to all-zero"), else EINVAL; nothing else matters to it
 * 6. the length is not zero (T7), else EINVAL: the specification leaves it open, and no client means it
 * 7. a READ is within the maximum payload, else EINVAL; commands without payload may be longer (T6)
 * 8. the range lies within the export, else EINVAL, or ENOSPC of what would write there (T4)
 * 9. offset and length are multiples of the minimum block size (T5), else EINVAL
 *
 * DISC is not for this function: it has no reply. A WRITE above the maximum payload ends the connection (T1), which
 * this function does not decide.
 *
 * @returns 0, or the `NbdError` to answer
 */
export function validate(
  request: Readonly<RequestHeader>,
  facts: TransmissionFacts,
): typeof VALID | NbdError {
  const { type, flags, offset, length } = request;
  const transmissionFlags = facts.transmissionFlags;

  let applicableFlags: number;
  let offered: number;
  switch (type) {
    case Command.READ:
    case Command.WRITE:
      offered = 1;
      applicableFlags = 0;
      break;
    case Command.FLUSH:
      offered = transmissionFlags & TransmissionFlag.SEND_FLUSH;
      applicableFlags = 0;
      break;
    case Command.TRIM:
      offered = transmissionFlags & TransmissionFlag.SEND_TRIM;
      applicableFlags = 0;
      break;
    case Command.WRITE_ZEROES:
      offered = transmissionFlags & TransmissionFlag.SEND_WRITE_ZEROES;
      applicableFlags = CommandFlag.NO_HOLE;
      if ((transmissionFlags & TransmissionFlag.SEND_FAST_ZERO) !== 0)
        applicableFlags |= CommandFlag.FAST_ZERO;
      break;
    default:
      return NbdError.EINVAL;
  }
  // "The server MUST accept all commands with this bit set (even by ignoring the bit)" once it is advertised.
  if ((transmissionFlags & TransmissionFlag.SEND_FUA) !== 0) applicableFlags |= CommandFlag.FUA;

  const changes = type === Command.WRITE || type === Command.TRIM || type === Command.WRITE_ZEROES;
  if (changes && (transmissionFlags & TransmissionFlag.READ_ONLY) !== 0) return NbdError.EPERM;
  if (offered === 0 || (flags & ~applicableFlags) !== 0) return NbdError.EINVAL;
  if (type === Command.FLUSH) return offset === 0 && length === 0 ? VALID : NbdError.EINVAL;
  if (length === 0) return NbdError.EINVAL;
  if (type === Command.READ && length > facts.payloadMaximum) return NbdError.EINVAL;
  // Not offset + length, which is not exact beyond 2^53. The difference is: an offset beyond makes it negative.
  if (length > facts.sizeBytes - offset) {
    return type === Command.WRITE || type === Command.WRITE_ZEROES ? NbdError.ENOSPC : NbdError.EINVAL;
  }
  // The low 32 bits decide for a power of two up to 64 KiB.
  if (((offset | length) & (facts.blockSizeMinimum - 1)) !== 0) return NbdError.EINVAL;
  return VALID;
}
