import { Errno, errnoName } from '../errno.js';
import { NativeBuffer } from '../native-buffer.js';
import type { OwnedFd } from '../owned-fd.js';
import { HANDOFF_PAYLOAD_MAX, HANDOFF_TOKEN_BYTES } from './limits.js';
import { MessageFrame } from './message-frame.js';
import { MSG_CTRUNC, MSG_TRUNC, receiveMessage } from './unix-socket.js';

/** What a peer's message was. */
export type HandoffOrRefusal =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'handoff'; readonly token: Buffer; readonly payload: Buffer; readonly fd: OwnedFd };

/** What came of a look at a peer's socket. */
export type Received = { readonly kind: 'nothing-yet' } | HandoffOrRefusal;

function refused(reason: string): Received {
  return { kind: 'refused', reason };
}

/** A copy that shares memory with nobody, not even with Buffer's pool (Law 6). */
function owned(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Reads handoffs from peers' sockets, one at a time, through memory of its own. */
export class HandoffReader {
  readonly #frame = new MessageFrame();
  readonly #message = NativeBuffer.allocate(HANDOFF_TOKEN_BYTES + HANDOFF_PAYLOAD_MAX);

  /** Takes the one message of a peer, without waiting. Whatever came and is refused has its descriptors closed. */
  receive(peer: number): Received {
    this.#frame.fillToReceive(this.#message.address, this.#message.length);
    const length = receiveMessage(peer, this.#frame);
    if (length === -Errno.EAGAIN) return { kind: 'nothing-yet' };
    if (length < 0) return refused(`recvmsg failed: ${errnoName(-length)}`);

    const descriptors = this.#frame.takeDescriptors();
    const reason = this.#reasonToRefuse(length, descriptors.length);
    const [fd] = descriptors;
    if (reason !== undefined || fd === undefined) {
      for (const descriptor of descriptors) descriptor.close();
      return refused(reason ?? 'no descriptor');
    }
    const { bytes } = this.#message;
    return {
      kind: 'handoff',
      token: owned(bytes.subarray(0, HANDOFF_TOKEN_BYTES)),
      payload: owned(bytes.subarray(HANDOFF_TOKEN_BYTES, length)),
      fd,
    };
  }

  #reasonToRefuse(length: number, descriptors: number): string | undefined {
    const { flags } = this.#frame;
    if ((flags & MSG_TRUNC) !== 0) return `a message longer than ${this.#message.length} bytes`;
    // Control data that did not fit, or descriptors for which this process has no number left.
    if ((flags & MSG_CTRUNC) !== 0) return 'descriptors were lost on the way';
    if (length === 0 && descriptors === 0) return 'closed without a message';
    if (length < HANDOFF_TOKEN_BYTES) return `a token of ${length} bytes`;
    if (descriptors !== 1) return `${descriptors} descriptors instead of one`;
    return undefined;
  }
}
