import type { TransmissionMachine } from '@holdfast/nbd-protocol';
import type { DeviceIo } from './device-io.js';

/** Has the device begin with every READ that is queued when one of them must wait for it: once for each of them. */
export class ReadAhead {
  readonly #device: DeviceIo;
  readonly #machine: TransmissionMachine;
  readonly #begin: (offset: number, length: number) => void;
  #begun = 0;
  /** What was queued up to this request has been begun. */
  #lastRequest = 0;

  constructor(device: DeviceIo, machine: TransmissionMachine) {
    this.#device = device;
    this.#machine = machine;
    this.#begin = (offset, length) => {
      device.readAhead(offset, length);
      this.#begun += 1;
    };
  }

  /** The READ under way is not in the page cache. */
  missed(offset: number, length: number): void {
    const { requests } = this.#machine.counters;
    if (requests <= this.#lastRequest) return;
    this.#device.readAhead(offset, length);
    this.#begun = 0;
    this.#machine.forEachQueuedRead(this.#begin);
    // WRITEs among them only make this come again a little early.
    this.#lastRequest = requests + this.#begun;
  }
}
