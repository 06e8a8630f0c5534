/** `NBD_CMD_FLAG_…` of a request, 16 bits (section "Command flags"). */
export const CommandFlag = {
  FUA: 1 << 0,
  NO_HOLE: 1 << 1,
  /** READ: at most one content chunk. */
  DF: 1 << 2,
  /** BLOCK_STATUS: one extent for each context. */
  REQ_ONE: 1 << 3,
  FAST_ZERO: 1 << 4,
  /** Extended headers only: the length is that of a payload that follows. */
  PAYLOAD_LEN: 1 << 5,
} as const;
