import { assert } from '@holdfast/foundation';

/** Generations as a page keeps them: 32 bits each, little-endian, whatever the machine. */
export function toBytes(generations: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(generations.length * 4);
  const view = new DataView(bytes.buffer);
  generations.forEach((generation, index) => {
    view.setUint32(index * 4, generation, true);
  });
  return bytes;
}

export function fromBytes(bytes: Uint8Array): Uint32Array {
  assert(bytes.byteLength % 4 === 0, 'a page is whole');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true));
}
