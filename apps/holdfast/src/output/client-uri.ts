/**
 * A URI with what libnbd takes for TLS by certificates (nbd_connect_uri(3)).
 *
 * @param folder with the client's certificate
 */
export function byCertificate(uri: string, folder: string): string {
  return withParameter(uri, 'tls-certificates', folder);
}

/**
 * A URI with what libnbd takes for TLS by a pre-shared key.
 *
 * @param user to whom one of the keys in the file belongs
 */
export function byKey(uri: string, user: string, pskFile: string): string {
  const named = uri.replace('://', `://${encodeURIComponent(user)}@`);
  return withParameter(named, 'tls-psk-file', pskFile);
}

/** A path in which slashes may stay (RFC 3986, section 3.4), so that it can be read. */
function withParameter(uri: string, name: string, path: string): string {
  const value = path.split('/').map(encodeURIComponent).join('/');
  return `${uri}${uri.includes('?') ? '&' : '?'}${name}=${value}`;
}
