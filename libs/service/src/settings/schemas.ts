import path from 'node:path';
import { SOCKET_PATH_BYTES_MAX } from '@holdfast/contracts';
import { LISTEN_ADDRESS_FORM, parseListenAddress } from '@holdfast/foundation';
import { z } from 'zod';

/** Schemas of environment variables: text in, the checked value out. */

export const absolutePath = z
  .string()
  .refine((text) => path.isAbsolute(text) && !text.includes('\0'), 'must be an absolute path');

/** An absolute path, or nothing. */
export const optionalPath = z
  .string()
  .refine(
    (text) => text === '' || (path.isAbsolute(text) && !text.includes('\0')),
    'must be an absolute path, or empty',
  );

/** Path of a Unix socket; empty text means the default one. */
export const socketPath = optionalPath.refine(
  (text) => Buffer.byteLength(text) <= SOCKET_PATH_BYTES_MAX,
  `must be at most ${SOCKET_PATH_BYTES_MAX} bytes, like every path of a Unix socket`,
);

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

export const flag = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');

export function integer(minimum: number, maximum: number) {
  const range = `must be a whole number, ${minimum}–${maximum}`;
  return z
    .string()
    .regex(/^\d+$/, range)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, range);
}

/** A whole number, or a word for one that is not known yet. */
export function integerOr<Word extends string>(word: Word, minimum: number, maximum: number) {
  return z.string().transform((text, context) => {
    if (text === word) return word;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    context.addIssue({
      code: 'custom',
      message: `must be a whole number, ${minimum}–${maximum}, or ${word}`,
    });
    return z.NEVER;
  });
}

const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** A number of bytes: `1048576`, `64M`, `1GiB`; units are powers of 1024. */
export function byteSize(minimum: number, maximum: number) {
  const range = `must be a number of bytes such as 64M or 1G, ${minimum}–${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}(?:[KMGT](?:iB)?)?$/, range)
    .transform((text) => {
      const [, digits, unit = ''] = /^(\d+)([KMGT]?)/.exec(text) ?? [];
      return Number(digits) * UNITS[unit as keyof typeof UNITS];
    })
    .refine((value) => value >= minimum && value <= maximum, range);
}

/** Milliseconds. */
export const milliseconds = integer(0, 86_400_000);

/** Where to listen over TCP; undefined for `none`. */
export const listenAddress = z.string().transform((text, context) => {
  const address = parseListenAddress(text);
  if (address === undefined) {
    context.addIssue({ code: 'custom', message: `must be ${LISTEN_ADDRESS_FORM}` });
    return z.NEVER;
  }
  return address === 'none' ? undefined : address;
});
