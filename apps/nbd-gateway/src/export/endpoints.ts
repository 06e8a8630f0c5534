import { formatTcpAddress, type TcpAddress } from '@holdfast/foundation';

/** Where NBD clients connect: filled by the listeners once they listen. */
export class Endpoints {
  tcp: TcpAddress | undefined;
  unixPath: string | undefined;

  /** `127.0.0.1:10809`, `unix:/path/nbd.sock` */
  list(): string[] {
    return [
      ...(this.tcp === undefined ? [] : [formatTcpAddress(this.tcp)]),
      ...(this.unixPath === undefined ? [] : [`unix:${this.unixPath}`]),
    ];
  }

  /**
   * URIs of an export, as the NBD URI specification (doc/uri.md) writes them:
   * `nbd://127.0.0.1:10809/disk.img`, `nbd+unix:///disk.img?socket=/path/nbd.sock`; `nbds` where clients have to begin
   * TLS. Their certificates and keys are their own, and not in it.
   */
  urisOf(exportName: string, { needsTls }: { readonly needsTls: boolean }): string[] {
    const name = encodeURIComponent(exportName);
    const scheme = needsTls ? 'nbds' : 'nbd';
    return [
      ...(this.tcp === undefined ? [] : [`${scheme}://${formatTcpAddress(this.tcp)}/${name}`]),
      ...(this.unixPath === undefined
        ? []
        : [`${scheme}+unix:///${name}?socket=${encodePath(this.unixPath)}`]),
    ];
  }
}

/** A query value in which slashes may stay (RFC 3986, section 3.4), so that the path can be read. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
