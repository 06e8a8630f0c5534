import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { RequestHeader } from './messages/request.js';
import { Refusal, type ReplyError } from './reply-error.js';
import { filterBytesMax } from './status-filter.js';
import type { TransmissionFacts } from './transmission-facts.js';

/**
 * Holds a request against what the handshake announced, in this order, where the first finding decides:
 *
 * 1. the command is known (T1), else EINVAL
 * 2. it changes nothing on a read-only export (T4, T18), else EPERM: even commands that such an export does not offer,
 *    for "read-only" is what the client needs to hear
 * 3. it was offered, and for BLOCK_STATUS a context was selected (T11), else EINVAL
 * 4. so was every flag, and it belongs to the command (T2, T14), else EINVAL; with extended headers a WRITE has
 *    PAYLOAD_LEN (T1), else EINVAL
 * 5. a FLUSH has no offset and no length ("MUST be set to all-zero"), else EINVAL; nothing else matters to it
 * 6. the payload of a BLOCK_STATUS is not longer than it can be (T12), else EINVAL; its range is not known yet
 * 7. what {@link validateRange} says
 *
 * DISC is not for this function: it has no reply. A payload above the maximum ends the connection (T1), which this
 * function does not decide.
 *
 * @returns what to answer, or undefined if the request is valid
 */
export function validate(request: Readonly<RequestHeader>, facts: TransmissionFacts): ReplyError | undefined {
  const { type, flags } = request;
  const transmissionFlags = facts.transmissionFlags;

  let applicableFlags = 0;
  let offered = 1;
  switch (type) {
    case Command.READ:
      if ((transmissionFlags & TransmissionFlag.SEND_DF) !== 0) applicableFlags = CommandFlag.DF;
      break;
    case Command.WRITE:
      if (facts.replyMode === 'extended') applicableFlags = CommandFlag.PAYLOAD_LEN;
      break;
    case Command.FLUSH:
      offered = transmissionFlags & TransmissionFlag.SEND_FLUSH;
      break;
    case Command.TRIM:
      offered = transmissionFlags & TransmissionFlag.SEND_TRIM;
      break;
    case Command.CACHE:
      offered = transmissionFlags & TransmissionFlag.SEND_CACHE;
      break;
    case Command.WRITE_ZEROES:
      offered = transmissionFlags & TransmissionFlag.SEND_WRITE_ZEROES;
      applicableFlags = CommandFlag.NO_HOLE;
      if ((transmissionFlags & TransmissionFlag.SEND_FAST_ZERO) !== 0)
        applicableFlags |= CommandFlag.FAST_ZERO;
      break;
    case Command.BLOCK_STATUS:
      if (facts.metaContexts.length === 0) return Refusal.noContext;
      applicableFlags = CommandFlag.REQ_ONE;
      if ((transmissionFlags & TransmissionFlag.BLOCK_STATUS_PAYLOAD) !== 0)
        applicableFlags |= CommandFlag.PAYLOAD_LEN;
      break;
    default:
      return Refusal.unknownCommand;
  }
  // "The server MUST accept all commands with this bit set (even by ignoring the bit)" once it is advertised.
  if ((transmissionFlags & TransmissionFlag.SEND_FUA) !== 0) applicableFlags |= CommandFlag.FUA;

  const changes = type === Command.WRITE || type === Command.TRIM || type === Command.WRITE_ZEROES;
  if (changes && (transmissionFlags & TransmissionFlag.READ_ONLY) !== 0) return Refusal.readOnly;
  if (offered === 0) return Refusal.notOffered;
  if ((flags & ~applicableFlags) !== 0) return Refusal.flag;
  if (type === Command.FLUSH) {
    return request.offset === 0 && request.length === 0 ? undefined : Refusal.flushRange;
  }
  const hasPayload = (flags & CommandFlag.PAYLOAD_LEN) !== 0;
  if (type === Command.BLOCK_STATUS && hasPayload) {
    return request.length > 0 && request.length <= filterBytesMax(facts) ? undefined : Refusal.filter;
  }
  if (type === Command.WRITE && facts.replyMode === 'extended' && !hasPayload) return Refusal.payloadMissing;
  return validateRange(type, request.offset, request.length, facts);
}

/**
 * Holds the range of a request against the export, in this order:
 *
 * 1. the length is not zero (T7), else EINVAL: the specification leaves it open, and no client means it
 * 2. a READ is within the maximum payload, else EINVAL; commands without payload may be longer (T6)
 * 3. the range lies within the export, else EINVAL, or ENOSPC of what would write there (T4)
 * 4. offset and length are multiples of the minimum block size (T5), else EINVAL
 */
export function validateRange(
  type: number,
  offset: number,
  length: number,
  facts: TransmissionFacts,
): ReplyError | undefined {
  if (length === 0) return Refusal.noLength;
  if (type === Command.READ && length > facts.payloadMaximum) return Refusal.readTooLong;
  // Not offset + length, which is not exact beyond 2^53. The difference is: an offset beyond makes it negative.
  if (length > facts.sizeBytes - offset) {
    return type === Command.WRITE || type === Command.WRITE_ZEROES ? Refusal.noSpace : Refusal.beyondEnd;
  }
  // The low 32 bits decide for a power of two up to 64 KiB.
  if (((offset | length) & (facts.blockSizeMinimum - 1)) !== 0) return Refusal.misaligned;
  return undefined;
}
