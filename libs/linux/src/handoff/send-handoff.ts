import { setTimeout as delay } from 'node:timers/promises';
import { assert, HoldfastError } from '@holdfast/foundation';
import { checked, Errno, SystemCallError } from '../errno.js';
import { NativeBuffer } from '../native-buffer.js';
import { duplicateFd, type OwnedFd } from '../owned-fd.js';
import { setSendBuffer } from '../socket-options.js';
import { HANDOFF_PAYLOAD_MAX, HANDOFF_TOKEN_BYTES, SEND_RETRY_MS } from './limits.js';
import { MessageFrame } from './message-frame.js';
import { connectTo, openSeqpacket, sendMessage } from './unix-socket.js';

const frame = new MessageFrame();

/** Twice this is granted, or what net.core.wmem_max allows: room for the longest message and its bookkeeping. */
const SEND_BUFFER_BYTES = 256 * 1024;
const DELAY_MS_MAX = 50;

/** What a call has returned, and its name. */
interface Outcome {
  readonly call: string;
  readonly result: number;
}

/** Repeats an attempt for SEND_RETRY_MS while the kernel reports a queue that is full for the moment. */
async function retrying(attempt: () => Outcome): Promise<void> {
  const deadline = performance.now() + SEND_RETRY_MS;
  for (let delayMs = 1; ; delayMs = Math.min(2 * delayMs, DELAY_MS_MAX)) {
    const { call, result } = attempt();
    // EAGAIN: the listener's queue, or the socket's buffer. ETOOMANYREFS: too many descriptors in flight (unix(7)).
    const busy = result === -Errno.EAGAIN || result === -Errno.ETOOMANYREFS;
    if (!busy || performance.now() >= deadline) {
      checked(call, result);
      return;
    }
    await delay(delayMs);
  }
}

async function send(path: string, message: NativeBuffer, passed: OwnedFd): Promise<void> {
  using socket = openSeqpacket();
  setSendBuffer(socket.number, SEND_BUFFER_BYTES);
  let isConnected = false;
  // In one go: of those who have connected and not sent, the listener bears with few (SILENT_PEERS_MAX).
  await retrying(() => {
    if (!isConnected) {
      const result = connectTo(socket.number, path);
      if (result < 0) return { call: 'connect', result };
      isConnected = true;
    }
    frame.fillToSend(message.address, message.length, [passed.number]);
    return { call: 'sendmsg', result: sendMessage(socket.number, frame) };
  });
}

/**
 * Passes a duplicate of `fd` to the {@link HandoffListener} at `path` (SCM_RIGHTS, unix(7)). Token, payload and
 * descriptor are taken before this returns its promise: the caller may reuse and close its own at once.
 *
 * It resolves when the kernel has queued the message, which then arrives even if this process ends; not when the
 * receiver has accepted it, nor if the receiver dies first.
 *
 * @param token HANDOFF_TOKEN_BYTES bytes, by which the receiver knows what this is
 * @param payload at most HANDOFF_PAYLOAD_MAX bytes
 * @throws HoldfastError HANDOFF_FAILED naming path and errno
 */
export async function sendHandoff(
  path: string,
  token: Uint8Array,
  payload: Uint8Array,
  fd: number,
): Promise<void> {
  assert(token.length === HANDOFF_TOKEN_BYTES, `a handoff token of ${token.length} bytes`);
  assert(payload.length <= HANDOFF_PAYLOAD_MAX, `a handoff payload of ${payload.length} bytes`);
  try {
    using passed = duplicateFd(fd);
    using message = NativeBuffer.allocate(token.length + payload.length);
    message.bytes.set(token);
    message.bytes.set(payload, token.length);
    await send(path, message, passed);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new HoldfastError(
      'HANDOFF_FAILED',
      `a descriptor could not be passed to ${JSON.stringify(path)}: ${error.message}`,
      { path, ...error.metadata },
      error,
    );
  }
}
