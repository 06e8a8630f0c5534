import { accessSync, constants, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { shellWord } from '../output/shell-word.js';
import { place } from '../tls/credential-places.js';
import type { TlsChoice } from './tls-choice.js';

/** What others may do with a file (chmod(2): S_IROTH, S_IWOTH). */
const OTHERS_READ_OR_WRITE = 0o006;

const AUTHORITY = 'ca-cert.pem';
const CERTIFICATE = 'server-cert.pem';
const KEY = 'server-key.pem';

/**
 * Finds out before anything is started whether the files are there and kept as they should be; what is in them the
 * gateway reads itself, and decides in the end.
 *
 * @throws HoldfastError INVALID_SETTING that names the option, the file and what to do
 */
export function checkTlsFiles({ certificates, pskFile }: TlsChoice): void {
  if (certificates !== undefined) {
    const { folder, ofClients } = certificates;
    checkFolder(folder);
    for (const name of [CERTIFICATE, KEY]) checkInFolder(folder, name, '');
    checkSecret('--tls-certificates', path.join(folder, KEY));
    if (ofClients !== 'off') {
      checkInFolder(
        folder,
        AUTHORITY,
        ', or give --tls-client-certificates off to let clients in without one',
      );
    }
  }
  if (pskFile !== undefined) {
    const hint = 'make one with "holdfast tls init", or with psktool';
    checkFile('--tls-psk', pskFile, `there is no file ${pskFile}; ${hint}`);
    checkSecret('--tls-psk', pskFile);
  }
}

function checkFolder(folder: string): void {
  if (look(folder)?.isDirectory() === true) return;
  throw invalid('--tls-certificates', `there is no folder ${folder}; make one with "holdfast tls init"`);
}

function checkInFolder(folder: string, name: string, otherwise: string): void {
  const below = path.join(folder, place.server);
  const instead =
    look(path.join(below, name)) === undefined
      ? `it needs ${CERTIFICATE}, ${KEY} and ${AUTHORITY}, as "holdfast tls init" makes them`
      : `${below} has: give that one`;
  checkFile(
    '--tls-certificates',
    path.join(folder, name),
    `${folder} has no ${name}; ${instead}${otherwise}`,
  );
}

function checkFile(option: string, file: string, absent: string): void {
  const status = look(file);
  if (status === undefined) throw invalid(option, absent);
  if (!status.isFile()) throw invalid(option, `${file} is not a file`);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw invalid(option, `${file} cannot be read: ${messageOf(error)}`);
  }
}

function checkSecret(option: string, file: string): void {
  const mode = look(file)?.mode ?? 0;
  if ((mode & OTHERS_READ_OR_WRITE) === 0) return;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  throw invalid(
    option,
    `${file} can be read or changed by every user of this machine (mode ${octal}): run chmod o= ${shellWord(file)}, and replace what it holds if it was not meant for them`,
  );
}

/** Undefined when there is nothing, or nothing to be seen. */
function look(location: string): Stats | undefined {
  try {
    return statSync(location);
  } catch {
    return undefined;
  }
}

function invalid(option: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', `${option}: ${problem}`, { setting: option });
}
