import { statSync } from 'node:fs';
import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import { credentialFiles, readCredentials } from './credentials.js';
import { TlsAcceptor } from './tls-acceptor.js';
import type { TlsConfiguration } from './tls-settings.js';

/**
 * TLS by the certificates and keys that are in their files now. Whether they have changed is asked at each handshake:
 * some stat(2) calls are little beside it, and see what a watcher misses, such as a folder that was renamed, or a
 * change by another host.
 *
 * A certificate and its key are two files, which nobody can replace at once. While they do not fit, and whenever else
 * the files are of no use, the last good ones go on.
 */
export class CurrentAcceptor {
  #acceptor: TlsAcceptor;
  /** The files as they were when they were last read, be it in vain. */
  #version: string;

  /** @throws HoldfastError INVALID_SETTING that names the setting and the file at fault */
  constructor(
    private readonly configuration: TlsConfiguration,
    private readonly logger: Logger,
  ) {
    this.#version = this.#look();
    this.#acceptor = this.#read();
  }

  get(): TlsAcceptor {
    const version = this.#look();
    if (version === this.#version) return this.#acceptor;
    this.#version = version;
    try {
      this.#acceptor = this.#read();
      this.logger.info('TLS goes by the new certificates and keys');
    } catch (error) {
      this.logger.error(
        `TLS goes by the old certificates and keys, the new ones are of no use: ${messageOf(error)}`,
      );
    }
    return this.#acceptor;
  }

  #look(): string {
    return credentialFiles(this.configuration).map(versionOf).join(' ');
  }

  #read(): TlsAcceptor {
    const credentials = readCredentials(this.configuration);
    const acceptor = new TlsAcceptor(credentials);
    const { validUntil } = credentials;
    if (validUntil !== undefined && validUntil.getTime() <= Date.now()) {
      const when = validUntil.toISOString();
      this.logger.warn(`the certificate of this server expired at ${when}: clients will not trust it`);
    }
    return acceptor;
  }
}

function versionOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(',');
  } catch (error) {
    return messageOf(error);
  }
}
