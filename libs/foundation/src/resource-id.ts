import { HoldfastError } from './errors.js';

/** Longest resource id in bytes: a file name's own bound (NAME_MAX), since images are exported under theirs. */
export const RESOURCE_ID_BYTES_MAX = 255;

/**
 * Checks the last segment of a resource name (`devices/{id}`): 1–255 bytes of UTF-8 without `/` and without control
 * characters, so that it can be an NBD export name, a file name and a log field alike.
 *
 * @throws HoldfastError INVALID_ARGUMENT naming `field`
 */
export function checkResourceId(id: string, field: string): string {
  const bytes = Buffer.byteLength(id);
  const reason =
    bytes === 0
      ? 'must not be empty'
      : bytes > RESOURCE_ID_BYTES_MAX
        ? `must be at most ${String(RESOURCE_ID_BYTES_MAX)} bytes, has ${String(bytes)}`
        : /[\p{Cc}/]/u.test(id)
          ? 'must not contain "/" or control characters'
          : id.isWellFormed()
            ? undefined
            : 'must be well-formed Unicode';
  if (reason !== undefined) throw new HoldfastError('INVALID_ARGUMENT', `${field} ${reason}`, { field });
  return id;
}
