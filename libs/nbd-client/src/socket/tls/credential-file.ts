import { open } from 'node:fs/promises';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { CREDENTIAL_FILE_BYTES_MAX } from '../../limits.js';

/** TLS cannot be set up, and why. */
export function tlsFailure(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('NBD_TLS_FAILED', `TLS with the NBD server failed: ${reason}`, {}, cause);
}

/**
 * Reads a file with a certificate or a key.
 *
 * @returns undefined if there is no such file
 * @throws HoldfastError NBD_TLS_FAILED if it cannot be read
 */
export async function readCredentialFile(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > CREDENTIAL_FILE_BYTES_MAX) throw tlsFailure(`${file} is too large for a certificate or a key`);
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw tlsFailure(`${file} cannot be read: ${messageOf(error)}`, error);
  }
}

/** As {@link readCredentialFile}, of a file that must be there. */
export async function requireCredentialFile(file: string): Promise<string> {
  const text = await readCredentialFile(file);
  if (text === undefined) throw tlsFailure(`there is no ${file}`);
  return text;
}
