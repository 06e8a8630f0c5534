/** Length of the token that tells the receiver which expected descriptor this is. */
export const HANDOFF_TOKEN_BYTES = 16;

/**
 * Longest payload beside a descriptor: what a gateway may have read of a connection before it passes it on. The
 * message must fit a socket's default send buffer with its bookkeeping (net.core.wmem_default, 212,992 bytes).
 */
export const HANDOFF_PAYLOAD_MAX = 192 * 1024;

/** Peers that may be connected without having sent: an honest one sends in the moment it connects. */
export const SILENT_PEERS_MAX = 64;

/** How long such a peer is waited for, in milliseconds: far beyond any scheduling delay. */
export const SILENT_PEER_TIMEOUT_MS = 5000;

/** Connections that the kernel may queue until they are accepted; a sender beyond it meets EAGAIN and retries. */
export const LISTEN_BACKLOG = 256;

/** How long a sender retries while the queue is full, in milliseconds; a live receiver empties it in a few. */
export const SEND_RETRY_MS = 2000;
