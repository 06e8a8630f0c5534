import koffi, { type KoffiFunc } from 'koffi';

/** Asynchronous calls that this room gives to koffi at a time, per thread; a pool of more threads gains nothing. */
export const ASYNC_CALLS_MAX = 32;

// One stack and heap for each of them, kept: koffi would otherwise map and unmap 256 KiB per call beyond the eighth,
// which triples the cost. It can only be set before the first library is loaded.
if (koffi.config().resident_async_pools !== ASYNC_CALLS_MAX) {
  koffi.config({ resident_async_pools: ASYNC_CALLS_MAX });
}

/**
 * glibc, loaded once per thread: koffi keeps its state per thread, so every worker thread that imports this room
 * gets its own. Addresses are declared `size_t` and pass as plain numbers (user space ends at 2^47 on x86-64 and at
 * 2^48 on aarch64, both safe integers); byte counts come back as `int`, because one call moves at most 0x7ffff000
 * bytes (read(2), NOTES).
 */
const library = koffi.load('libc.so.6');

/** A libc function whose arguments and result are all plain numbers. */
export type LibcFunction<Arguments extends readonly number[]> = KoffiFunc<(...args: Arguments) => number>;

/** Declares a function of fixed arity; `prototype` is C, which koffi checks when the module loads. */
export function declare<Arguments extends readonly number[]>(prototype: string): LibcFunction<Arguments> {
  const declared: unknown = library.func(prototype);
  return declared as LibcFunction<Arguments>;
}

/** A libc function whose one variadic argument comes with its C type before it. */
export type VariadicFunction<First extends number | string> = (
  first: First,
  second: number,
  type: 'int' | 'uint' | 'size_t',
  value: number,
) => number;

/**
 * Declares one of the functions that take two arguments and a variadic third: open, fcntl, ioctl. koffi offers no
 * `.async` for them.
 */
export function declareVariadic(prototype: string): VariadicFunction<number> {
  const declared: unknown = library.func(prototype);
  return declared as VariadicFunction<number>;
}

/** open(2), the one variadic function here that takes a string. */
export const open = library.func('int open(const char *path, int flags, ...)') as VariadicFunction<string>;

/**
 * This thread's errno as memory: `__errno_location()` is fixed for the life of a thread, so reading it costs no
 * call, and nothing can come between a failed call and its number.
 */
const errnoCell = new DataView(koffi.view(library.func('void *__errno_location()')(), 4));

/** The error number of the call just made on this thread, positive; read it before making any other. */
export function lastErrno(): number {
  return errnoCell.getInt32(0, true);
}

/** What a call returned, with its −1 turned into a negative errno; to be applied to the call itself. */
export function resultOrErrno(result: number): number {
  return result < 0 ? -lastErrno() : result;
}

/** The address of memory that an ArrayBuffer owns; V8 never moves a backing store. */
export function addressOf(memory: ArrayBuffer): number {
  return Number(koffi.address(memory));
}
