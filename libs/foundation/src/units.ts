/**
 * Branded units: a number that says what it counts. A brand costs nothing at run time; it keeps an offset from
 * being passed where a length belongs.
 */
declare const unit: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [unit]: Name };

/** Bytes from the start of a device. Inside the process a safe integer, ≤ {@link MAX_SAFE_BYTES}. */
export type ByteOffset = Branded<number, 'ByteOffset'>;
/** A number of bytes. Inside the process a safe integer, ≤ {@link MAX_SAFE_BYTES}. */
export type ByteCount = Branded<number, 'ByteCount'>;
/** Raised by one each time a device is attached; work of an older epoch is refused. Unsigned 64-bit. */
export type LeaseEpoch = Branded<bigint, 'LeaseEpoch'>;
/** Disk sequence number of a block device (BLKGETDISKSEQ), unsigned 64-bit. */
export type Diskseq = Branded<bigint, 'Diskseq'>;
/** `/proc/sys/kernel/random/boot_id`: changes with every boot. */
export type BootId = Branded<string, 'BootId'>;

/** Offsets and lengths beyond 2^53−1 do not fit a double exactly; no device this large exists. */
export const MAX_SAFE_BYTES = Number.MAX_SAFE_INTEGER;

function safeInteger(value: number | bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`${what} must be an integer between 0 and 2^53−1, got ${String(value)}`);
  }
  return number;
}

export function byteOffset(value: number | bigint): ByteOffset {
  return safeInteger(value, 'a byte offset') as ByteOffset;
}

export function byteCount(value: number | bigint): ByteCount {
  return safeInteger(value, 'a byte count') as ByteCount;
}

export function leaseEpoch(value: bigint): LeaseEpoch {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw new RangeError(`a lease epoch must be an unsigned 64-bit integer, got ${String(value)}`);
  }
  return value as LeaseEpoch;
}

/**
 * Reads a diskseq as somebody expects it: 1 to 16 hexadecimal digits, and nothing else (D3).
 *
 * @returns undefined for anything else: empty text, a sign, `0x`, blanks, more digits
 */
export function parseDiskseq(text: string): Diskseq | undefined {
  return /^[0-9a-f]{1,16}$/i.test(text) ? (BigInt(`0x${text}`) as Diskseq) : undefined;
}

/** The diskseq as the API and XenStore write it: lower-case hexadecimal, no prefix, no padding. */
export function formatDiskseq(value: Diskseq): string {
  return value.toString(16);
}
