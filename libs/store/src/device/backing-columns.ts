import { assert, AssertionFailure } from '@holdfast/foundation';
import { deviceKinds, type DeviceBacking, type ExpectedDevice } from './device-backing.js';

/** How a backing stands in the row of a device. */
export interface BackingColumns {
  readonly kind: string;
  /** A path, or a URI. */
  readonly path: string;
  /** JSON of what else belongs to the kind, as it was given when the device was registered. */
  readonly settings: string;
}

export function backingColumns(backing: DeviceBacking): BackingColumns {
  if (backing.kind === 'nbd') {
    const { kind, uri, ...settings } = backing;
    return { kind, path: uri, settings: JSON.stringify(settings) };
  }
  const { kind, path, ...settings } = backing;
  return { kind, path, settings: JSON.stringify(settings) };
}

/** @throws AssertionFailure when the row was not written by {@link backingColumns} */
export function toBacking({ kind, path, settings }: BackingColumns): DeviceBacking {
  const known = deviceKinds.find((one) => one === kind);
  assert(known !== undefined, `a device is of the unknown kind ${kind}`);
  const fields = new Fields(settings);
  switch (known) {
    case 'file':
      return { kind: known, path, ...fields.directIo() };
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
      return { kind: known, path, expected: fields.texts('expected'), ...fields.directIo() };
    case 'nbd':
      return {
        kind: known,
        uri: path,
        onDisconnect: fields.oneOf('onDisconnect', ['replay', 'fail']),
        reconnectMs: fields.number('reconnectMs'),
      };
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

  /** Rows of earlier versions have no such member. */
  directIo(): { readonly directIo?: true } {
    const value = this.#object['directIo'];
    if (value === undefined) return {};
    if (value === true) return { directIo: value };
    throw this.#wrong('directIo');
  }

  oneOf<Text extends string>(name: string, texts: readonly Text[]): Text {
    const value = texts.find((text) => text === this.#object[name]);
    if (value !== undefined) return value;
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
