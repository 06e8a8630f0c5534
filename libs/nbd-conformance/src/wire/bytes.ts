import { Buffer } from 'node:buffer';
import { SHOWN_TEXT_MAX } from '../limits.js';

/** A big-endian number of so many bits, bytes, or text in UTF-8. */
export type Field = readonly [bits: 16 | 32 | 64, value: number | bigint] | Uint8Array | string;

/** Fields, one after the other. Nothing is checked: a check sends what it likes. */
export function bytesOf(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      if (typeof field === 'string' || field instanceof Uint8Array) return Buffer.from(field);
      const [bits, value] = field;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
      return bytes.subarray(8 - bits / 8);
    }),
  );
}

/** Text of a server, fit to be shown: short, and without what a terminal would take for a command. */
export function shownText(text: string): string {
  const plain = text.replace(/\p{C}/gu, '\ufffd');
  return plain.length > SHOWN_TEXT_MAX ? `${plain.slice(0, SHOWN_TEXT_MAX)}…` : plain;
}

/** `0x67446698`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
