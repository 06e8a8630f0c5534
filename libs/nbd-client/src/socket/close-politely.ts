import type { Duplex } from 'node:stream';

/** Ends a stream, of TLS too, and waits until the other side has closed it as well; after `waitMs` it is closed anyway. */
export function closePolitely(stream: Duplex, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => stream.destroy(), waitMs);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    stream.end();
    stream.resume();
  });
}
