/** Memory of one pool at most, in bytes: the service shares the machine. */
export const MEMORY_POOL_BYTES_MAX = 2 ** 36;
