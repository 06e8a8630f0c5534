import { assert } from '@holdfast/foundation';
import type { OwnedFd } from '@holdfast/linux';

/** An attachment, as far as who holds its device needs to know it. */
export interface HeldAttachment {
  readonly id: string;
  readonly deviceId: string;
}

/** The device descriptors in the registry's own hands, from attach to detach (D10, D12), by attachment id. */
export class Holds {
  readonly #held = new Map<string, { readonly deviceId: string; readonly fd: OwnedFd }>();

  get size(): number {
    return this.#held.size;
  }

  list(): HeldAttachment[] {
    return [...this.#held].map(([id, { deviceId }]) => ({ id, deviceId }));
  }

  get(attachmentId: string): OwnedFd | undefined {
    return this.#held.get(attachmentId)?.fd;
  }

  keep({ id, deviceId }: HeldAttachment, fd: OwnedFd): void {
    assert(!this.#held.has(id), 'an attachment is held once');
    this.#held.set(id, { deviceId, fd });
  }

  /** Closes the descriptor; letting go of what is not held is OK. */
  letGo(attachmentId: string): void {
    this.#held.get(attachmentId)?.fd.close();
    this.#held.delete(attachmentId);
  }

  /** At the end of the process. */
  letGoOfAll(): void {
    for (const { id } of this.list()) this.letGo(id);
  }
}
