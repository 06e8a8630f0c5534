import type { Field } from '../effects.js';
import { formatField, formatSource, type Source } from '../verifier/value.js';
import { formatHandle, type Handle, type Heap } from './heap.js';
import type { FaultKind } from './fault.js';

/** How a part of a run tells the run that it is over. It never leaves `runProgram`. */
export class Stop extends Error {
  override readonly name = 'Stop';
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * The table is checked against the tag that each object carries (C11): where one is taken out of a field, put into one,
 * and freed.
 */
export class OwnerCheck {
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  allocated(handle: Handle, allocator: string): void {
    this.#same(handle, allocator, 'was handed out by');
  }

  /** @throws Stop held-under-placeholder, owner-mismatch */
  inField(handle: Handle, field: Field): void {
    this.#same(handle, this.#ownerOf(handle, field), `${formatField(field)} is filled from`);
  }

  /** A free goes to the class of the field that the object came from. @throws Stop */
  freed(handle: Handle, source: Source): void {
    const allocator = source.kind === 'allocator' ? source.allocator : this.#ownerOf(handle, source.field);
    this.#same(handle, allocator, `it came from ${formatSource(source)}, whose allocator is`);
  }

  #ownerOf(handle: Handle, field: Field): string {
    const allocator = this.#heap.allocatorOf(field);
    if (allocator !== null) return allocator;
    throw new Stop(
      'held-under-placeholder',
      `${formatHandle(handle)} is in ${formatField(field)}, which no loaded program fills`,
    );
  }

  #same(handle: Handle, allocator: string, words: string): void {
    if (handle.allocator === allocator) return;
    const message = `${formatHandle(handle)} belongs to ${handle.allocator}, and ${words} ${allocator}`;
    throw new Stop('owner-mismatch', message);
  }
}
