/** `NBD_FLAG_…` of an export, 16 bits: what may be sent in transmission (section "Transmission flags"). */
export const TransmissionFlag = {
  /** Always set. */
  HAS_FLAGS: 1 << 0,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  /** The medium is rotational: a hint for the client's scheduler. */
  ROTATIONAL: 1 << 4,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  /** With structured replies or extended headers only. */
  SEND_DF: 1 << 7,
  /** FLUSH and FUA speak for all connections to the export. */
  CAN_MULTI_CONN: 1 << 8,
  SEND_CACHE: 1 << 10,
  SEND_FAST_ZERO: 1 << 11,
  /** With extended headers only: BLOCK_STATUS takes a payload that names the contexts to answer. */
  BLOCK_STATUS_PAYLOAD: 1 << 12,
} as const;
