import { messageOf } from '@holdfast/foundation';
import { isLive } from '@holdfast/lease';
import { bootId } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import type { Cause, DeviceRecord, Store } from '@holdfast/store';
import type { WorkerLink } from '../worker/worker-link.js';
import type { AttachmentService } from './attachment.service.js';
import { reattachmentOf } from './reattachment.js';

/** Between the first failure to attach what should be attached and the next attempt; doubles with each. */
const FIRST_PAUSE_MS = 250;
/** A path that is not there yet, or a program that has the image open, is looked for this often at least. */
const PAUSE_MS_MAX = 30_000;

const WANTED: Cause = { actor: 'registry', reason: 'it should be attached' };

/**
 * Attaches again what should be attached and is not, after a crash: until it succeeds, because nobody asks again. An
 * attach that somebody asked for and that failed is his to repeat, until registry or worker start anew.
 */
export class WantedDevices {
  readonly #failed = new Set<string>();
  #retry: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly attachments: AttachmentService,
    private readonly worker: WorkerLink,
    private readonly logger: Logger,
  ) {}

  /**
   * Tries each of them once; those that fail are tried again later. Never throws: what fails is in log and record.
   * Servers elsewhere may take long to answer: they are not waited for.
   */
  async attachAll(): Promise<void> {
    this.#pauseMs = FIRST_PAUSE_MS;
    await this.#attachThose(() => true);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  async #attachThose(concerns: (device: DeviceRecord) => boolean): Promise<void> {
    try {
      const wanted = (await this.store.devices.listWanted()).filter(concerns);
      const remote = wanted.filter(({ backing }) => backing.kind === 'nbd');
      void Promise.all(remote.map((device) => this.#try(device))).then(() => {
        this.#tryAgain();
      });
      for (const device of wanted) if (!remote.includes(device)) await this.#try(device);
    } catch (error) {
      this.logger.error(`the devices to attach are not known: ${messageOf(error)}`);
    }
    this.#tryAgain();
  }

  async #try(device: DeviceRecord): Promise<void> {
    try {
      await this.#attachAgain(device);
      this.#failed.delete(device.id);
    } catch (error) {
      this.logger.error({ device: device.id }, `cannot attach: ${messageOf(error)}`);
      this.#failed.add(device.id);
    }
  }

  /** Only what is known to be the device meant; nothing is reopened by its old name alone (D5). */
  async #attachAgain(device: DeviceRecord): Promise<void> {
    const { id, attachment } = device;
    if (attachment !== undefined && isLive(attachment.state)) return;
    const again = reattachmentOf(device, bootId());
    if (again.kind === 'allowed') {
      await this.attachments.attach(id, WANTED, undefined, { check: again.check, ifWanted: true });
      return;
    }
    if (attachment !== undefined) await this.store.attachments.withhold(attachment.id, again.why);
    this.logger.warn({ device: id, reason: again.why.code }, again.why.message);
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    if (this.#failed.size === 0 || this.#stopped) return;
    this.#retry = setTimeout(() => {
      const failed = new Set(this.#failed);
      // Those that are not wanted any more drop out.
      this.#failed.clear();
      // While the worker is away there is nothing to try: its return begins anew.
      if (this.worker.state.kind === 'up') void this.#attachThose(({ id }) => failed.has(id));
    }, this.#pauseMs);
    this.#retry.unref();
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
  }
}
