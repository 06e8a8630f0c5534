/** `NBD_REPLY_TYPE_…` of a structured or extended reply chunk; the errors have bit 15 set (section "Structured reply types"). */
export const ChunkType = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  /** With extended headers only. */
  OFFSET_HOLE_EXT: 3,
  BLOCK_STATUS: 5,
  /** With extended headers only. */
  BLOCK_STATUS_EXT: 6,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const;
export type ChunkType = (typeof ChunkType)[keyof typeof ChunkType];

/** The bit that all error chunks have, those to come too: a client treats unknown ones as an error. */
export const CHUNK_TYPE_ERROR_BIT = 1 << 15;
