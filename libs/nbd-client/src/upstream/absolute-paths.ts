import path from 'node:path';
import type { NbdUri } from '../uri/nbd-uri.js';
import { invalidUri } from '../uri/uri-text.js';

/**
 * For a URI that others connect to than the one who wrote it: their working folder is another.
 *
 * @throws HoldfastError NBD_URI_INVALID naming the part whose path is relative
 */
export function requireAbsolutePaths({ address, tls }: NbdUri): void {
  // One of the abstract namespace is no path.
  if (address.kind === 'unix' && !address.path.startsWith('\0')) check('socket', address.path);
  if (tls?.credentials.kind === 'psk') check('tls-psk-file', tls.credentials.file);
  if (tls?.credentials.kind === 'x509' && tls.credentials.folder !== undefined) {
    check('tls-certificates', tls.credentials.folder);
  }
}

function check(parameter: string, file: string): void {
  if (!path.isAbsolute(file)) {
    throw invalidUri(`the path of "${parameter}" is relative ("${file}"): give it from / on`);
  }
}
