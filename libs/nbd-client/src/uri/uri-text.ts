import { HoldfastError } from '@holdfast/foundation';

/** An NBD URI that cannot be used, with what is wrong about it. */
export function invalidUri(reason: string): HoldfastError {
  return new HoldfastError('NBD_URI_INVALID', `not a usable NBD URI: ${reason}`, { reason });
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Takes `%XX` out of a part of a URI (RFC 3986, section 2.1). A `+` is a plus. */
export function percentDecode(text: string, what: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) {
    throw invalidUri(
      `in ${what}, each % must be followed by two hexadecimal digits (write %25 for % itself)`,
    );
  }
  const bytes = Buffer.from(
    // Latin-1 keeps each byte apart until all are there.
    Buffer.from(text)
      .toString('latin1')
      .replaceAll(/%(..)/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  );
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalidUri(`${what} is not UTF-8 once its %XX are decoded`);
  }
}
