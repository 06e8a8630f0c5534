/** `NBD_CMD_FLAG_…` of a request, 16 bits (section "Command flags"). */
export const CommandFlag = {
  FUA: 1 << 0,
  NO_HOLE: 1 << 1,
  FAST_ZERO: 1 << 4,
} as const;
