import { HoldfastError } from '@holdfast/foundation';
import { parseNbdUri, type NbdUri } from '@holdfast/nbd-client';

/** Where a copy comes from or goes to, as the user named it. */
export type Place =
  | { readonly kind: 'nbd'; readonly name: string; readonly uri: NbdUri }
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  /** Takes everything and keeps nothing, as in nbdcopy(1): to see whether, and how fast, a source can be read. */
  | { readonly kind: 'null'; readonly name: string };

const URI = /^nbds?(\+\w+)?:/i;

/** A file with such a name is written `./nbd:…`. @throws HoldfastError NBD_URI_INVALID */
export function parsePlace(text: string): Place {
  if (URI.test(text)) return { kind: 'nbd', name: text, uri: parseNbdUri(text) };
  if (text === 'null:') return { kind: 'null', name: text };
  if (text === '' || text === '-') {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      'a copy goes between files, block devices and NBD URIs: standard input and output cannot be copied in parallel',
    );
  }
  return { kind: 'file', name: text, path: text };
}
