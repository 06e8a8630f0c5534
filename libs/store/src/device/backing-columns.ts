import { assert, AssertionFailure } from '@holdfast/foundation';
import { deviceKinds, type DeviceBacking, type ExpectedDevice } from './device-backing.js';

/** How a backing stands in the row of a device. */
export interface BackingColumns {
  readonly kind: string;
  readonly path: string;
  /** JSON of what else belongs to the kind, as it was given when the device was registered. */
  readonly settings: string;
}

export function backingColumns({ kind, path, ...settings }: DeviceBacking): BackingColumns {
  return { kind, path, settings: JSON.stringify(settings) };
}

/** @throws AssertionFailure when the row was not written by {@link backingColumns} */
export function toBacking({ kind, path, settings }: BackingColumns): DeviceBacking {
  const known = deviceKinds.find((one) => one === kind);
  assert(known !== undefined, `a device is of the unknown kind ${kind}`);
  const fields = new Fields(settings);
  switch (known) {
    case 'file':
      return { kind: known, path };
    case 'loop':
      return {
        kind: known,
        path,
        offset: fields.number('offset'),
        sizeLimit: fields.number('sizeLimit'),
        blockSize: fields.number('blockSize'),
        directIo: fields.boolean('directIo'),
      };
    case 'block':
      return { kind: known, path, expected: fields.texts('expected') };
  }
}

/** The members of a JSON object, each of the type that it must have. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(json: string) {
    this.#object = JSON.parse(json) as Record<string, unknown>;
  }

  number(name: string): number {
    const value = this.#object[name];
    if (typeof value === 'number') return value;
    throw this.#wrong(name);
  }

  boolean(name: string): boolean {
    const value = this.#object[name];
    if (typeof value === 'boolean') return value;
    throw this.#wrong(name);
  }

  texts(name: string): ExpectedDevice {
    const value = this.#object[name];
    const isTexts =
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((one) => typeof one === 'string');
    if (isTexts) return value;
    throw this.#wrong(name);
  }

  #wrong(name: string): AssertionFailure {
    return new AssertionFailure(`the setting ${name} of a device is ${JSON.stringify(this.#object[name])}`);
  }
}
