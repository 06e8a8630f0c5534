import { MessageHeader } from '../message-header.js';
import { NativeBuffer } from '../native-buffer.js';
import { OwnedFd } from '../owned-fd.js';
import { fillIovec, IOVEC_BYTES } from '../scratch.js';

/*
 * struct msghdr with one iovec and one control area behind it:
 *
 *   56 struct iovec
 *   72 control area: struct cmsghdr (cmsg(3)) { 0 cmsg_len  8 cmsg_level  12 cmsg_type  16 data }, 8-byte aligned
 */
const { IOV_POINTER, IOV_COUNT, CONTROL_POINTER, CONTROL_LENGTH, FLAGS, BYTES: HEADER_BYTES } = MessageHeader;
const CONTROL = HEADER_BYTES + IOVEC_BYTES;
const CONTROL_HEADER_BYTES = 16;

/** The most descriptors one message can carry (SCM_MAX_FD, unix(7)): room for all, so that all can be closed. */
const DESCRIPTORS_MAX = 253;
const CONTROL_BYTES = CONTROL_HEADER_BYTES + (DESCRIPTORS_MAX + 1) * 4;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** One `struct msghdr` in native memory, filled anew for every call. */
export class MessageFrame {
  readonly #memory = NativeBuffer.allocate(CONTROL + CONTROL_BYTES);

  get address(): number {
    return this.#memory.address;
  }

  #fill(address: number, length: number, controlLength: number): void {
    const { view, bytes } = this.#memory;
    bytes.fill(0);
    fillIovec(view, HEADER_BYTES, address, length);
    view.setBigUint64(IOV_POINTER, BigInt(this.address + HEADER_BYTES), true);
    view.setBigUint64(IOV_COUNT, 1n, true);
    view.setBigUint64(CONTROL_POINTER, BigInt(this.address + CONTROL), true);
    view.setBigUint64(CONTROL_LENGTH, BigInt(controlLength), true);
  }

  /** Prepares sending `length` bytes from `address` on, with `descriptors` beside them. */
  fillToSend(address: number, length: number, descriptors: readonly number[]): void {
    const controlLength = CONTROL_HEADER_BYTES + descriptors.length * 4;
    this.#fill(address, length, descriptors.length === 0 ? 0 : controlLength);
    const { view } = this.#memory;
    view.setBigUint64(CONTROL, BigInt(controlLength), true);
    view.setInt32(CONTROL + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL + 12, SCM_RIGHTS, true);
    descriptors.forEach((descriptor, index) => {
      view.setInt32(CONTROL + CONTROL_HEADER_BYTES + index * 4, descriptor, true);
    });
  }

  /** Prepares receiving at most `length` bytes at `address`, with whatever descriptors come. */
  fillToReceive(address: number, length: number): void {
    this.#fill(address, length, CONTROL_BYTES);
  }

  /** msg_flags after receiving: MSG_TRUNC, MSG_CTRUNC. */
  get flags(): number {
    return this.#memory.view.getInt32(FLAGS, true);
  }

  /** All descriptors that the last receive brought: ours from now on, to use or to close. */
  takeDescriptors(): OwnedFd[] {
    const { view } = this.#memory;
    const end = CONTROL + Number(view.getBigUint64(CONTROL_LENGTH, true));
    const taken: OwnedFd[] = [];
    let at = CONTROL;
    while (at + CONTROL_HEADER_BYTES <= end) {
      const length = Number(view.getBigUint64(at, true));
      if (length < CONTROL_HEADER_BYTES) break;
      if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS) {
        for (let data = at + CONTROL_HEADER_BYTES; data < at + length; data += 4) {
          taken.push(new OwnedFd(view.getInt32(data, true)));
        }
      }
      at += Math.ceil(length / 8) * 8;
    }
    return taken;
  }
}
