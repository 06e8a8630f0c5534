/**
 * Every limit of the client, with its reason. What a server sends is held against these, and against those of
 * `@holdfast/nbd-protocol`, before anything is allocated for it.
 */

/** Longest wait for a connection, for the end of a TLS handshake and for the answer to one option; a wait needs an end. */
export const ANSWER_MS_DEFAULT = 30_000;

/**
 * Longest attempt to connect to an export that is served on, from the first packet to the end of the handshake: the attempts
 * of registry and worker together are shorter than the calls that wait for them (15 s), and one of the worker is shorter than
 * the handshake of its client.
 */
export const UPSTREAM_CONNECT_MS = 5_000;

/** Silence on a TCP connection after which the kernel asks whether the other side is there; after ten questions it is not. */
export const KEEP_ALIVE_MS = 10_000;

/** Longest wait for a server to close after DISC or ABORT, before the client does: nothing of value comes any more. */
export const GOODBYE_MS = 5_000;

/** Data of one option reply: that of REP_SERVER, a name and a description of the longest kind. */
export const OPTION_REPLY_BYTES_MAX = 4 + 2 * 4096;

/** Exports in the answer to LIST: more than anybody reads, and with the longest names and descriptions 80 MB. */
export const LISTED_EXPORTS_MAX = 10_000;

/** Metadata contexts in the answer to LIST_META_CONTEXT: room for a dirty bitmap each hour of half a year. */
export const LISTED_CONTEXTS_MAX = 4_096;

/** NBD_INFO replies to one INFO or GO: four kinds are known. */
export const INFOS_MAX = 64;

/** Requests in flight on one connection, by default: as many as qemu-nbd and nbdkit work on at a time. */
export const IN_FLIGHT_REQUESTS_DEFAULT = 16;

/**
 * Longest READ and WRITE, even if the server allows more: "for maximum portability" nobody takes a payload up to this for an
 * attack (section "Block size constraints"), and the answer to a READ fits one chunk.
 */
export const TRANSFER_BYTES_MAX = 32 * 1024 * 1024;

/** Payload of an error chunk: a text of the longest kind, and room for fields of chunk types to come. */
export const ERROR_CHUNK_BYTES_MAX = 8 * 1024;

/** Errors in one reply: one for each 32 KiB of the longest READ. */
export const REPLY_ERRORS_MAX = 1_024;

/**
 * Pieces of a READ that touch no other: with chunks of 512 bytes, the smallest that a server should send, in the worst
 * order, for the longest READ.
 */
export const FRAGMENTS_MAX = 65_536;

/** Size of a file with a certificate or a key: the longest chains are below 100 KiB. */
export const CREDENTIAL_FILE_BYTES_MAX = 1024 * 1024;

/** What one call receives from a socket: a READ of the usual length at once, and no more than caches of processors hold. */
export const RECEIVE_BYTES = 256 * 1024;
