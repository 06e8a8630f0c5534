import { declare } from './libc.js';

const mallopt = declare<[parameter: number, value: number]>('int mallopt(int param, int value)');

const M_MMAP_THRESHOLD = -3;
/** Above the pieces in which Node reads from sockets (64 KiB), which come and go too fast for mappings. */
const THRESHOLD_BYTES = 66 * 1024;

/**
 * Has every allocation of this process from 66 KiB on, buffers among them, in a mapping of its own (mallopt(3),
 * M_MMAP_THRESHOLD): what is not touched costs no memory, and what is freed goes back to the kernel at once. glibc begins
 * with 128 KiB, and raises that to the size of whatever is freed.
 */
export function mapLargeAllocations(): void {
  mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES);
}
