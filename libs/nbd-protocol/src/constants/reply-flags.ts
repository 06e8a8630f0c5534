/** `NBD_REPLY_FLAG_…` of a chunk, 16 bits (section "Structured and extended header reply flags"). */
export const ReplyFlag = {
  /** The last chunk of its reply. */
  DONE: 1 << 0,
} as const;
