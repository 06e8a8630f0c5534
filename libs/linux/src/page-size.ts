import { declare } from './libc.js';

const getpagesize = declare<[]>('int getpagesize()');

/** What the kernel maps and caches at once (getpagesize(2)), in bytes. */
export const PAGE_BYTES = getpagesize();
