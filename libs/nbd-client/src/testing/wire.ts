import { Buffer } from 'node:buffer';

/** Messages as a test writes them: field by field, apart from the codecs under test. */

type Field = readonly [bits: 16 | 32 | 64, value: number | bigint] | Uint8Array | string;

/** Big-endian fields, one after the other. */
export function fields(...list: readonly Field[]): Buffer {
  return Buffer.concat(
    list.map((field) => {
      if (typeof field === 'string') return Buffer.from(field);
      if (field instanceof Uint8Array) return field;
      const [bits, value] = field;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(value));
      return bytes.subarray(8 - bits / 8);
    }),
  );
}

export const greeting = (flags = 3) => fields('NBDMAGIC', 'IHAVEOPT', [16, flags]);

export const optionReply = (option: number, type: number, data: Uint8Array | string = '') => {
  const content = Buffer.from(data);
  return fields([64, 0x3e889045565a9n], [32, option], [32, type], [32, content.length], content);
};

export const infoExport = (sizeBytes: number | bigint, flags: number) =>
  fields([16, 0], [64, sizeBytes], [16, flags]);

export const infoBlockSize = (minimum: number, preferred: number, maximum: number) =>
  fields([16, 3], [32, minimum], [32, preferred], [32, maximum]);

export const simpleReply = (cookie: bigint, error = 0, data: Uint8Array = Buffer.alloc(0)) =>
  fields([32, 0x67446698], [32, error], [64, cookie], data);

/** How a chunk is framed. */
export interface Framing {
  readonly extended: boolean;
  readonly cookie: bigint;
  /** That of the request. */
  readonly offset: bigint;
}

export const DONE = 1;

export const chunk = (
  { extended, cookie, offset }: Framing,
  type: number,
  flags: number,
  payload: Uint8Array = Buffer.alloc(0),
) =>
  extended
    ? fields(
        [32, 0x6e8a278c],
        [16, flags],
        [16, type],
        [64, cookie],
        [64, offset],
        [64, payload.length],
        payload,
      )
    : fields([32, 0x668e33ef], [16, flags], [16, type], [64, cookie], [32, payload.length], payload);

export const none = (framing: Framing) => chunk(framing, 0, DONE);

export const offsetData = (framing: Framing, offset: bigint, data: Uint8Array, flags = 0) =>
  chunk(framing, 1, flags, fields([64, offset], data));

export const offsetHole = (framing: Framing, offset: bigint, size: number, flags = 0) =>
  chunk(framing, 2, flags, fields([64, offset], [32, size]));

/** In the form that goes with the framing. */
export const blockStatus = (
  framing: Framing,
  contextId: number,
  extents: readonly (readonly [length: number | bigint, flags: number | bigint])[],
  flags = 0,
) =>
  framing.extended
    ? chunk(
        framing,
        6,
        flags,
        fields(
          [32, contextId],
          [32, extents.length],
          ...extents.flatMap(([length, status]): Field[] => [
            [64, length],
            [64, status],
          ]),
        ),
      )
    : chunk(
        framing,
        5,
        flags,
        fields(
          [32, contextId],
          ...extents.flatMap(([length, status]): Field[] => [
            [32, length],
            [32, status],
          ]),
        ),
      );

export const errorChunk = (framing: Framing, error: number, message = '', flags = DONE) =>
  chunk(framing, 0x8001, flags, fields([32, error], [16, Buffer.byteLength(message)], message));

export const errorOffset = (framing: Framing, error: number, offset: bigint, message = '', flags = DONE) =>
  chunk(framing, 0x8002, flags, fields([32, error], [16, Buffer.byteLength(message)], message, [64, offset]));

/** Bytes that tell where they are. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) & 0xff;
  return bytes;
}
