import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { messageOf } from '@holdfast/foundation';

/** What others may do with a file (chmod(2): S_IROTH, S_IWOTH). */
const OTHERS_READ_OR_WRITE = 0o006;

/** A chain of certificates or a list of keys for people to manage; more is another file by mistake. */
export const CREDENTIAL_FILE_BYTES_MAX = 1024 * 1024;

/** A file that cannot be used. The message names the file and says what to do, and never shows what is in it. */
export class CredentialProblem extends Error {
  constructor(
    message: string,
    /** There is no such file. */
    readonly absent = false,
  ) {
    super(message);
  }
}

/** @throws CredentialProblem */
export function readCredentialFile(file: string): Buffer {
  return read(file, () => undefined);
}

/**
 * As {@link readCredentialFile}, of a file that holds a secret. One that every user of the machine can read is none,
 * and is refused; its group is the owner's business.
 *
 * @throws CredentialProblem
 */
export function readSecretFile(file: string): Buffer {
  return read(file, ({ mode }) => {
    if ((mode & OTHERS_READ_OR_WRITE) === 0) return undefined;
    const octal = (mode & 0o7777).toString(8).padStart(4, '0');
    return `${file} can be read or changed by every user of this machine (mode ${octal}): run chmod o= on it, and replace what it holds if it was not meant for them`;
  });
}

function read(file: string, problemOf: (status: { mode: number }) => string | undefined): Buffer {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CredentialProblem(`${file} is not there`, true);
    }
    throw new CredentialProblem(`${file} cannot be read: ${messageOf(error)}`);
  }
  try {
    // Of the open file, so that what is judged is what is read.
    const status = fstatSync(fd);
    if (!status.isFile()) throw new CredentialProblem(`${file} is not a file`);
    if (status.size > CREDENTIAL_FILE_BYTES_MAX) {
      throw new CredentialProblem(`${file} has more than ${String(CREDENTIAL_FILE_BYTES_MAX)} bytes`);
    }
    const problem = problemOf(status);
    if (problem !== undefined) throw new CredentialProblem(problem);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
