/**
 * Every limit of the wire, with its reason. What a peer sends is held against these before anything is allocated.
 */

/** Names, descriptions, error texts: "MUST be no longer than 4096 bytes" (section "Conventions"). */
export const STRING_BYTES_MAX = 4096;

/** Queries in one LIST_META_CONTEXT or SET_META_CONTEXT. Known clients send fewer than ten. */
export const META_CONTEXT_QUERIES_MAX = 64;

/**
 * Data of one option. The largest is a SET_META_CONTEXT: the longest name of an export, and as many queries as may be
 * of the length that strings "SHOULD" have at most, 256 bytes (section "Conventions").
 */
export const OPTION_BYTES_MAX = 4 + STRING_BYTES_MAX + 4 + (4 + 256) * META_CONTEXT_QUERIES_MAX;

/** Options on one connection. Known clients send fewer than ten; a loop of options is a denial of service. */
export const OPTIONS_MAX = 32;

/**
 * All bytes of one handshake, and of what was read beyond its end: twelve options of full length, where known clients
 * send less than 10 KB in all. Also a bound for the bytes that are handed over with a connection.
 */
export const HANDSHAKE_BYTES_MAX = 256 * 1024;

/** Default maximum payload: what every client may assume (section "Size constraints"). */
export const PAYLOAD_BYTES_MAX_DEFAULT = 32 * 1024 * 1024;

/** Default preferred block size (section "Size constraints"); the page of the host. */
export const BLOCK_BYTES_PREFERRED_DEFAULT = 4096;

/** Default minimum block size (section "Size constraints"): every byte is addressable. */
export const BLOCK_BYTES_MINIMUM_DEFAULT = 1;

/** Largest minimum block size: "MUST NOT be larger than 2^16" (section "Size constraints"). */
export const BLOCK_BYTES_MINIMUM_MAX = 64 * 1024;

/** Smallest preferred block size: "at least as large as … 2^9" (section "Size constraints"). */
export const BLOCK_BYTES_PREFERRED_MIN = 512;

/** Replies queued before they are sent though more requests wait: larger sends were not faster when measured. */
export const SEND_THRESHOLD_BYTES_DEFAULT = 256 * 1024;

/** Half of a batch of replies is not sent early if it is less: four pages, else the send would cost more than it wins. */
export const EARLY_SEND_BYTES_MIN = 16 * 1024;

/**
 * Bytes written before the replies are sent though more requests wait: sixteen pages, a few hundred microseconds. So the
 * client makes its next requests while these are written, instead of after them.
 */
export const WRITE_THRESHOLD_BYTES_DEFAULT = 64 * 1024;

/** A payload from here on is received by itself: a buffer's worth of what follows it would be moved, or break a page. */
export const LONG_PAYLOAD_BYTES = 32 * 1024;

/** Smallest input buffer of a transmission: two request headers and a little payload. */
export const INPUT_BYTES_MIN = 64;

/** Smallest output buffer of a transmission: a reply header and a little data. */
export const OUTPUT_BYTES_MIN = 64;

/** The same for replies in chunks: an error with its text, or a few extents. */
export const CHUNK_OUTPUT_BYTES_MIN = 256;

/** Queued requests that a look ahead visits: enough to keep a disk busy, a bounded delay of the current one. */
export const LOOK_AHEAD_REQUESTS_MAX = 64;

/** A request that is served in pieces is split at multiples of this, so that no page is touched by two pieces. */
export const PIECE_ALIGNMENT_BYTES = 4096;

/** Unread input up to this is moved to the front of its buffer whenever input is awaited: cheaper than a short receive. */
export const CHEAP_MOVE_BYTES = 4096;

/**
 * Extents in one BLOCK_STATUS chunk: "Servers SHOULD NOT send more than 2^20 extents in a single reply chunk"
 * (section "Structured reply types").
 */
export const EXTENTS_MAX = 2 ** 20;

/**
 * Payload of a chunk that a client takes: no server of good faith exceeds it, since data is bounded by the maximum
 * payload and 2^20 extents are 16 MiB.
 */
export const CHUNK_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Metadata contexts of one session: more than there are to select. Bounds the chunks of a BLOCK_STATUS reply and the
 * payload that filters them.
 */
export const META_CONTEXTS_MAX = 16;

/** Extents that a driver reports at once: few kilobytes of memory for each session, and a bounded pause of others. */
export const EXTENTS_PORTION = 512;

/** Text of an error chunk: what this server says fits. A reply is begun only when there is room for one. */
export const ERROR_TEXT_BYTES_MAX = 96;

/**
 * How long a payload may come after the header that did not announce it, in milliseconds: QEMU sends both at once, and
 * may lose the processor in between. Whoever sends none waits so long for its EINVAL.
 */
export const PAYLOAD_WAIT_MS = 500;
