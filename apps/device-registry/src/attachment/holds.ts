import { assert } from '@holdfast/foundation';
import type { OwnedFd } from '@holdfast/linux';

/** The device descriptors in the registry's own hands, from attach to detach (D10, D12), by attachment id. */
export class Holds {
  readonly #descriptors = new Map<string, OwnedFd>();

  get size(): number {
    return this.#descriptors.size;
  }

  get(attachmentId: string): OwnedFd | undefined {
    return this.#descriptors.get(attachmentId);
  }

  keep(attachmentId: string, fd: OwnedFd): void {
    assert(!this.#descriptors.has(attachmentId), 'an attachment is held once');
    this.#descriptors.set(attachmentId, fd);
  }

  /** Closes the descriptor; letting go of what is not held is OK. */
  letGo(attachmentId: string): void {
    this.#descriptors.get(attachmentId)?.close();
    this.#descriptors.delete(attachmentId);
  }

  /** At the end of the process. */
  letGoOfAll(): void {
    for (const id of [...this.#descriptors.keys()]) this.letGo(id);
  }
}
