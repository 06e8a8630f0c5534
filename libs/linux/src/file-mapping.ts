import { lseek, Seek } from './data-prototypes.js';
import { Errno, SystemCallError } from './errno.js';
import { declare, lastErrno, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { PAGE_BYTES } from './page-size.js';

const mmap = declare<
  [address: number, length: number, protection: number, flags: number, fd: number, offset: number]
>('int64_t mmap(size_t addr, size_t length, int prot, int flags, int fd, int64_t offset)');
const munmap = declare<[address: number, length: number]>('int munmap(size_t addr, size_t length)');
const mincore = declare<[address: number, length: number, states: number]>(
  'int mincore(size_t addr, size_t length, size_t vec)',
);

const PROT_READ = 1;
const MAP_SHARED = 1;

/** Most bytes that one question about residence is about. */
export const RESIDENCE_BYTES_MAX = 2 * 1024 * 1024;

/** What mincore(2) answers: a byte for each page, 1 for one that is in memory. */
const pageStates = NativeBuffer.allocate(RESIDENCE_BYTES_MAX / PAGE_BYTES);

/**
 * A file or block device in this process's memory, for system calls to send from (mmap(2), MAP_SHARED, read-only). Nothing
 * here ever reads it: a page that the file has lost is EFAULT to a system call, but would be SIGBUS to a program.
 *
 * Where it goes beyond the end of the file, it is memory that cannot be read until the file grows.
 */
export class FileMapping implements Disposable {
  readonly address: number;
  /** In bytes. */
  readonly length: number;
  readonly #fd: number;
  #isMapped = true;

  private constructor(fd: number, address: number, length: number) {
    this.#fd = fd;
    this.address = address;
    this.length = length;
  }

  /**
   * The first `length` bytes. The descriptor stays open as long.
   *
   * @returns undefined where the file cannot be mapped, or there is no room for it in the address space
   */
  static map(fd: number, length: number): FileMapping | undefined {
    const address = mmap(0, length, PROT_READ, MAP_SHARED, fd, 0);
    return address < 0 ? undefined : new FileMapping(fd, address, length);
  }

  /**
   * Whether the kernel tells this process what is in the page cache. To one that neither owns the file nor may write it, it
   * says that everything is, whatever the descriptor was opened for: then also what lies beyond the end.
   */
  get tellsResidence(): boolean {
    const end = lseek(this.#fd, 0, Seek.END);
    if (end < 0) return false;
    const beyond = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    const address = mmap(0, PAGE_BYTES, PROT_READ, MAP_SHARED, this.#fd, beyond);
    if (address < 0) return false;
    using page = new FileMapping(this.#fd, address, PAGE_BYTES);
    return mincore(page.address, PAGE_BYTES, pageStates.address) === 0 && pageStates.bytes[0] === 0;
  }

  /**
   * Whether the file has a range, and the page cache all of it (mincore(2)): a later moment may have evicted it, or cut it
   * off. Says nothing where the kernel does not tell ({@link tellsResidence}).
   *
   * @param offset a multiple of the page size
   * @param length at most {@link RESIDENCE_BYTES_MAX} bytes
   */
  isResident(offset: number, length: number): boolean {
    // Pages beyond the end of a file that was cut short may still be there, and are none to read from.
    if (lseek(this.#fd, 0, Seek.END) < offset + length) return false;
    if (mincore(this.address + offset, length, pageStates.address) !== 0) {
      // The kernel is short of memory: to wait is then no surprise.
      if (lastErrno() === Errno.EAGAIN) return false;
      throw new SystemCallError('mincore', lastErrno());
    }
    const pages = Math.ceil(length / PAGE_BYTES);
    const absent = pageStates.bytes.indexOf(0);
    return absent < 0 || absent >= pages;
  }

  /** Gives the addresses back; no call may be under way on them. */
  [Symbol.dispose](): void {
    if (!this.#isMapped) return;
    this.#isMapped = false;
    const result = resultOrErrno(munmap(this.address, this.length));
    if (result < 0) throw new SystemCallError('munmap', -result);
  }
}
