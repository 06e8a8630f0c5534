import type { ExportInfo } from '@holdfast/nbd-client';
import { TransmissionFlag, type ReplyMode } from '@holdfast/nbd-protocol';

/** What may be done with an export, by the key names of `nbdinfo --json`, in its order. */
export interface Abilities {
  readonly is_rotational: boolean;
  readonly is_read_only: boolean;
  readonly can_block_status_payload: boolean;
  readonly can_cache: boolean;
  readonly can_df: boolean;
  readonly can_fast_zero: boolean;
  readonly can_flush: boolean;
  readonly can_fua: boolean;
  readonly can_multi_conn: boolean;
  readonly can_trim: boolean;
  readonly can_zero: boolean;
}

/** All that is known of an export, and of the connection by which it became known. */
export interface ExportFacts {
  readonly uri: string;
  readonly info: ExportInfo;
  readonly abilities: Abilities;
  /** Undefined if the server does not tell. */
  readonly contexts: readonly string[] | undefined;
  readonly replyMode: ReplyMode;
  readonly isSecure: boolean;
}

/** A flag without what it depends on means nothing: DF is of chunks, and FAST_ZERO of WRITE_ZEROES. */
export function abilitiesOf(transmissionFlags: number, replyMode: ReplyMode): Abilities {
  const has = (flag: number) => (transmissionFlags & flag) !== 0;
  const canZero = has(TransmissionFlag.SEND_WRITE_ZEROES);
  return {
    is_rotational: has(TransmissionFlag.ROTATIONAL),
    is_read_only: has(TransmissionFlag.READ_ONLY),
    can_block_status_payload: has(TransmissionFlag.BLOCK_STATUS_PAYLOAD) && replyMode === 'extended',
    can_cache: has(TransmissionFlag.SEND_CACHE),
    can_df: has(TransmissionFlag.SEND_DF) && replyMode !== 'simple',
    can_fast_zero: has(TransmissionFlag.SEND_FAST_ZERO) && canZero,
    can_flush: has(TransmissionFlag.SEND_FLUSH),
    can_fua: has(TransmissionFlag.SEND_FUA),
    can_multi_conn: has(TransmissionFlag.CAN_MULTI_CONN),
    can_trim: has(TransmissionFlag.SEND_TRIM),
    can_zero: canZero,
  };
}
