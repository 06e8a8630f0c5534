import { CredentialProblem, readSecretFile } from './credential-file.js';

/** Shorter keys can be found by trying: who hears one handshake can test guesses at leisure (RFC 4279, section 7.2). */
const KEY_BYTES_MIN = 16;

/** Longest that OpenSSL takes (PSK_MAX_PSK_LEN, PSK_MAX_IDENTITY_LEN). */
const KEY_BYTES_MAX = 512;
const USER_BYTES_MAX = 256;

/** Keys by user name. */
export type PskKeys = ReadonlyMap<string, Buffer>;

/**
 * Reads a file of pre-shared keys as GnuTLS has them (`psktool`): one `user:hexkey` a line, `#` before the name if it
 * is written in hexadecimal too. Empty lines are skipped.
 *
 * @throws CredentialProblem that names the line, and never shows a key
 */
export function readPskFile(file: string): PskKeys {
  const keys = new Map<string, Buffer>();
  for (const [index, line] of readSecretFile(file).toString('utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const place = `${file}, line ${String(index + 1)}`;
    const { user, key } = parseLine(line, place);
    if (keys.has(user)) throw new CredentialProblem(`${place}: the user is named twice`);
    keys.set(user, key);
  }
  if (keys.size === 0)
    throw new CredentialProblem(`${file} has no keys: make one with psktool -u USER -p ${file}`);
  return keys;
}

function parseLine(line: string, place: string): { user: string; key: Buffer } {
  const [, name = '', hexKey = ''] = /^([^:]+):([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
  const user = name.startsWith('#') ? decodeHex(name.slice(1))?.toString('utf8') : name;
  const key = decodeHex(hexKey);
  if (user === undefined || user === '' || key === undefined) {
    throw new CredentialProblem(`${place}: must be USER:KEY, the key in hexadecimal digits`);
  }
  if (Buffer.byteLength(user) > USER_BYTES_MAX) {
    throw new CredentialProblem(`${place}: the user name has more than ${String(USER_BYTES_MAX)} bytes`);
  }
  if (key.length < KEY_BYTES_MIN || key.length > KEY_BYTES_MAX) {
    const range = `${String(KEY_BYTES_MIN)}–${String(KEY_BYTES_MAX)}`;
    throw new CredentialProblem(`${place}: the key must have ${range} bytes, two digits each`);
  }
  return { user, key };
}

function decodeHex(digits: string): Buffer | undefined {
  return digits.length > 0 && /^(?:[0-9a-fA-F]{2})+$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
