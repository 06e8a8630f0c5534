import { realpathSync } from 'node:fs';
import { deviceName, exportName, toDuration } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import type { Instance } from '../../client/instance.js';
import { readDomainDisks, type NbdDisk } from './domain-disks.js';
import type { Wants } from './wants.js';

/** What the hook needs of its surroundings. */
export interface LibvirtHookOptions {
  readonly instance: Instance;
  readonly wants: Wants;
  /** How long sessions of a guest that has stopped may take to end, in milliseconds. */
  readonly detachMs: number;
  /** Takes a sentence that is no failure. */
  readonly note: (sentence: string) => void;
}

/** Attaches what a guest needs before it starts, and detaches what no guest needs any more (libvirt.org/hooks.html). */
export class LibvirtHook {
  constructor(private readonly options: LibvirtHookOptions) {}

  /**
   * `prepare begin`. Whatever fails, nothing stays attached for this guest.
   *
   * @throws HoldfastError, which prevents the start
   */
  async prepare(guest: string, xml: string): Promise<void> {
    const devices = await this.#devicesOf(xml);
    try {
      for (const device of devices) await this.#attach(device, guest);
    } catch (error) {
      await this.release(guest).catch((problem: unknown) => {
        this.options.note(messageOf(problem));
      });
      throw error;
    }
  }

  /** `release end`: what was wanted is known from `prepare`, whatever the domain says now. Doing it again is done. */
  async release(guest: string): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.options.wants.of(guest).map((device) => this.#detach(device, guest)),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #devicesOf(xml: string): Promise<string[]> {
    const { nbdDisks, devices } = readDomainDisks(xml);
    const ours = nbdDisks.length === 0 ? [] : await this.#ours(nbdDisks);
    const published = await Promise.all(ours.map((disk) => this.#deviceOf(disk)));
    return [...new Set([...devices, ...published])];
  }

  /** Disks behind a socket of this instance. Those behind others are for others to provide. */
  async #ours(disks: readonly NbdDisk[]): Promise<NbdDisk[]> {
    const { endpoints } = await this.options.instance.gateway.getGateway({});
    const sockets = new Set(
      endpoints.filter((one) => one.startsWith('unix:')).map((one) => resolved(one.slice('unix:'.length))),
    );
    return disks.filter(({ socket }) => sockets.has(resolved(socket)));
  }

  async #deviceOf({ exportName: name, socket }: NbdDisk): Promise<string> {
    if (name === '') {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `a disk of the domain is behind ${socket} and names no export; write <source protocol='nbd' name='EXPORT'>`,
        { field: 'domain' },
      );
    }
    const { device } = await this.options.instance.exports.getExport({ name: exportName.format(name) });
    return deviceName.parse(device, 'device');
  }

  /** Intent first: what a hook that is killed leaves is undone by `release`. */
  #attach(device: string, guest: string): Promise<void> {
    const { instance, wants } = this.options;
    return wants.exclusive(device, async () => {
      wants.add(device, guest);
      await instance.devices.attachDevice({ name: deviceName.format(device) });
    });
  }

  /** A device that NBD clients use besides stays attached, and is theirs. */
  #detach(device: string, guest: string): Promise<void> {
    const { instance, wants, detachMs, note } = this.options;
    return wants.exclusive(device, async () => {
      if (wants.remove(device, guest)) return;
      try {
        const name = deviceName.format(device);
        await instance.devices.detachDevice({ name, drainTimeout: toDuration(detachMs), force: false });
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code !== 'DEVICE_IN_USE') {
          wants.add(device, guest);
          throw error;
        }
        note(`the device "${device}" stays attached: ${error.message}`);
      }
    });
  }
}

/** The same socket has several paths where /var/run is a link to /run. */
function resolved(socket: string): string {
  try {
    return realpathSync(socket);
  } catch {
    return socket;
  }
}
