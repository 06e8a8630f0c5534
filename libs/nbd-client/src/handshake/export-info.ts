import {
  BLOCK_BYTES_MINIMUM_DEFAULT,
  BLOCK_BYTES_MINIMUM_MAX,
  BLOCK_BYTES_PREFERRED_DEFAULT,
  BLOCK_BYTES_PREFERRED_MIN,
  PAYLOAD_BYTES_MAX_DEFAULT,
  TransmissionFlag,
  type BlockSize,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';

/** What a server says about an export. */
export interface ExportInfo {
  /** The name that was asked for; empty for the default export. */
  readonly name: string;
  /** The server's own name for it, if it told. */
  readonly canonicalName: string | undefined;
  /** For a human, if the server told. */
  readonly description: string | undefined;
  readonly sizeBytes: bigint;
  /** Union of `TransmissionFlag`. */
  readonly transmissionFlags: number;
  /** Bytes (section "Block size constraints"), if the server told; else {@link BLOCK_SIZE_ASSUMED} holds. */
  readonly blockSize: BlockSize | undefined;
}

/** What holds where a server does not tell its block sizes (section "Block size constraints"). */
export const BLOCK_SIZE_ASSUMED: BlockSize = {
  minimum: BLOCK_BYTES_MINIMUM_DEFAULT,
  preferred: BLOCK_BYTES_PREFERRED_DEFAULT,
  payloadMaximum: PAYLOAD_BYTES_MAX_DEFAULT,
};

/** @throws NbdProtocolError if the flags say of themselves that they are none (T18) */
export function checkTransmissionFlags(flags: number): void {
  if ((flags & TransmissionFlag.HAS_FLAGS) === 0) {
    throw new NbdProtocolError('missing-has-flags', `0x${flags.toString(16)}`);
  }
}

/** @throws NbdProtocolError if sizes are not what section "Block size constraints" says they MUST be (T5) */
export function checkBlockSize({ minimum, preferred, payloadMaximum }: BlockSize): void {
  const isSound =
    isPowerOfTwo(minimum) &&
    minimum <= BLOCK_BYTES_MINIMUM_MAX &&
    isPowerOfTwo(preferred) &&
    preferred >= Math.max(minimum, BLOCK_BYTES_PREFERRED_MIN) &&
    payloadMaximum >= preferred;
  if (!isSound) {
    throw new NbdProtocolError(
      'bad-block-size',
      `minimum ${String(minimum)}, preferred ${String(preferred)}, maximum payload ${String(payloadMaximum)}`,
    );
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
