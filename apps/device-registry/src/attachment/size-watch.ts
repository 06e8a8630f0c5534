import { messageOf } from '@holdfast/foundation';
import { deviceSize } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import type { Store } from '@holdfast/store';
import type { HeldAttachment, Holds } from './holds.js';

/**
 * Between two looks at the sizes of the devices that are held. A look is one or two system calls a device, some 2 µs;
 * whoever resizes a disk waits for longer than this before they look.
 */
export const SIZE_POLL_MS = 2_000;

/**
 * Notices that a device grows or shrinks while it is attached (`truncate`, `losetup --set-capacity`, `lvextend`). New
 * sessions get the new size. Those that live keep the one that was negotiated: NBD has no way to tell them.
 */
export class SizeWatch {
  /** Bytes when last looked at, by attachment. */
  readonly #known = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(
    private readonly store: Store,
    private readonly holds: Holds,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      void this.#lookAtAll();
    }, SIZE_POLL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** For whoever is about to tell the size of a device: what is recorded is true now. Never throws. */
  async look(deviceId: string): Promise<void> {
    const held = this.holds.list().find((one) => one.deviceId === deviceId);
    if (held !== undefined) await this.#lookAt(held);
  }

  async #lookAtAll(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const all = this.holds.list();
    for (const held of all) await this.#lookAt(held);
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    this.#looking = false;
  }

  async #lookAt({ id, deviceId }: HeldAttachment): Promise<void> {
    try {
      const fd = this.holds.get(id);
      if (fd === undefined) return;
      const sizeBytes = deviceSize(fd.number);
      if (this.#known.get(id) === sizeBytes) return;
      const before = await this.store.attachments.noteSize(id, sizeBytes);
      this.#known.set(id, sizeBytes);
      if (before === undefined) return;
      const facts = { device: deviceId, before, now: sizeBytes };
      if (sizeBytes > before) this.logger.info(facts, 'the device grew; new sessions get the new size');
      else this.logger.warn(facts, 'the device shrank: reading beyond its end fails in sessions that live');
    } catch (error) {
      this.logger.warn({ device: deviceId }, `the size of the device is not known: ${messageOf(error)}`);
    }
  }
}
