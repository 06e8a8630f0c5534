/**
 * Every limit of a check, with its reason. The server may be hostile: what it announces is held against these before
 * anything is allocated or waited for.
 */

/** Longest wait for a server to say or do what is due, by default: a disk that sleeps needs some seconds to wake. */
export const ANSWER_MS_DEFAULT = 5_000;

/** Longest life of one connection of a check: a server that answers byte by byte must end somewhere. */
export const CONNECTION_MS = 60_000;

/** Longest wait for a server to close after a last word: nothing of value comes any more. */
export const GOODBYE_MS = 1_000;

/** Data of one option reply: that of REP_SERVER, a name and a description of the longest kind. */
export const OPTION_REPLY_BYTES_MAX = 4 + 2 * 4096;

/** Replies to one option: as many exports as anybody lists. */
export const OPTION_REPLIES_MAX = 10_000;

/** Payload of one reply, all chunks together: 2^20 extents of the wide form, which no server should exceed. */
export const REPLY_BYTES_MAX = 8 + 16 * 2 ** 20;

/** Chunks in one reply: the longest READ of a check, 64 KiB, in pieces of one byte. */
export const REPLY_CHUNKS_MAX = 65_536 + 1;

/** Bytes that came and were not asked for, before the socket is left alone: what a server pushes stays in the kernel. */
export const BUFFERED_BYTES_MAX = 256 * 1024;

/** Evidence kept for one rule in one mode: the first few tell the story. */
export const EVIDENCE_MAX = 8;

/** Characters of a text that a server sent, as it is shown: a name is recognised by less. */
export const SHOWN_TEXT_MAX = 200;

/** What `--write` may change, in one piece: the largest minimum block size, so that it can be written to on any export. */
export const REGION_BYTES = 64 * 1024;
