import type { CopyDestination } from './copy-end.js';

/** Takes everything and keeps nothing. */
export function nullDestination(name: string): CopyDestination {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    name,
    blockBytes: 1,
    transferBytesMax: Number.MAX_SAFE_INTEGER,
    connections: 1,
    readsAsZeroes: true,
    write: nothing,
    writeZeroes: nothing,
    flush: nothing,
    close: nothing,
    abandon: () => undefined,
  };
}
