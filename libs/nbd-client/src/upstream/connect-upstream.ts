import { HoldfastError } from '@holdfast/foundation';
import { baseAllocation } from '@holdfast/nbd-protocol';
import { connect } from '../connect.js';
import { UPSTREAM_CONNECT_MS } from '../limits.js';
import type { NbdConnection } from '../nbd-connection.js';
import { describeAddress } from '../socket/open-socket.js';
import type { NbdUri } from '../uri/nbd-uri.js';

/**
 * Connects to an export that is to be served on: with `base:allocation` if the server has it, and for all of it, however
 * slowly the server answers, within `withinMs`.
 *
 * @param signal gives the attempt up: it fails, and a connection that comes later is closed
 * @throws HoldfastError as `connect`; NBD_SERVER_UNREACHABLE when it takes too long or is given up
 */
export async function connectUpstream(
  uri: NbdUri,
  signal?: AbortSignal,
  withinMs = UPSTREAM_CONNECT_MS,
): Promise<NbdConnection> {
  const attempt = connect(uri, { answerMs: withinMs, metaContexts: [baseAllocation.name] });
  let giveUp: (why: string) => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = (why) => {
      const address = describeAddress(uri.address);
      reject(
        new HoldfastError('NBD_SERVER_UNREACHABLE', `no connection to the NBD server at ${address}: ${why}`, {
          address,
        }),
      );
    };
  });
  const onAbort = () => {
    giveUp('it is not wanted any more');
  };
  const timer = setTimeout(() => {
    giveUp(`its handshake took longer than ${String(withinMs / 1000)} s`);
  }, withinMs);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([attempt, givenUp]);
  } catch (error) {
    // One that comes after all is nobody's.
    attempt.then(
      (late) => {
        late.destroy();
      },
      () => undefined,
    );
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
