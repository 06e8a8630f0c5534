/** RFC 3986, appendix B: scheme and authority, path, query. */
const PARTS = /^([^:/?#]+:\/\/[^/?#]*)[^?#]*(.*)$/s;

/** The URI of another export of the same server, by the same credentials. */
export function uriOfExport(uri: string, exportName: string): string {
  const path = exportName.split('/').map(encodeURIComponent).join('/');
  return uri.replace(PARTS, (_whole, server: string, query: string) => `${server}/${path}${query}`);
}
