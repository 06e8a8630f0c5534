import koffi from 'koffi';

/** Stops a watch; the descriptor may be closed right after. */
export type StopWatching = () => void;

/**
 * Calls `wake` from the event loop while `fd` is readable or its peer is gone, by the loop's own epoll (uv_poll_t):
 * no thread waits anywhere, so nothing keeps the process from exiting. One watch per descriptor and thread; it keeps
 * the loop alive, and makes the descriptor non-blocking.
 *
 * `wake` reads until EAGAIN, or it is called again.
 */
export function watchReadable(fd: number, wake: () => void): StopWatching {
  let stopped = false;
  let scheduled = false;
  // koffi drops what its callback throws. An immediate runs in the same turn of the loop, and what it throws is an
  // uncaught exception as anywhere else.
  const handle = koffi.node.poll(fd, { readable: true }, () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (!stopped) wake();
    });
  });
  return () => {
    if (stopped) return;
    stopped = true;
    handle.close();
  };
}
