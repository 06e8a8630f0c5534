import { Buffer } from 'node:buffer';
import { requireCredentialFile, tlsFailure } from './credential-file.js';

/** A key that both sides have. */
export interface PreSharedKey {
  readonly identity: string;
  readonly key: Buffer;
}

/**
 * Finds a user's key in a file of `psktool(1)`: lines of the form `username:hexadecimal-key`.
 *
 * @throws HoldfastError NBD_TLS_FAILED if it is not there
 */
export async function readPreSharedKey(file: string, username: string): Promise<PreSharedKey> {
  const text = await requireCredentialFile(file);
  for (const line of text.split('\n')) {
    const colon = line.lastIndexOf(':');
    if (line.slice(0, Math.max(colon, 0)) !== username) continue;
    const digits = line.slice(colon + 1).trim();
    if (!/^([0-9a-f]{2})+$/i.test(digits)) {
      throw tlsFailure(`the key of "${username}" in ${file} is not hexadecimal`);
    }
    return { identity: username, key: Buffer.from(digits, 'hex') };
  }
  throw tlsFailure(`${file} has no key for "${username}": give tls-username=NAME of one that it has`);
}
