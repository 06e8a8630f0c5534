import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError, messageOf } from '@holdfast/foundation';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What rename(2) says of a folder with something in it, and of what is no folder. */
const IS_THERE = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

/**
 * Makes a folder with files, for the user alone. It is there with all of them or not at all, and replaces nothing: a
 * folder that is there already has to be empty.
 *
 * @param files contents by path within the folder
 * @throws HoldfastError INVALID_SETTING
 */
export function writeNewFolder(folder: string, files: ReadonlyMap<string, string>): void {
  const parent = path.dirname(folder);
  let unfinished: string | undefined;
  try {
    mkdirSync(parent, { recursive: true, mode: FOLDER_MODE });
    unfinished = mkdtempSync(path.join(parent, `.${path.basename(folder)}-`));
    for (const [file, content] of files) {
      const target = path.join(unfinished, file);
      mkdirSync(path.dirname(target), { recursive: true, mode: FOLDER_MODE });
      writeFileSync(target, content, { flag: 'wx', mode: FILE_MODE });
    }
    moveTo(folder, unfinished);
  } catch (error) {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true });
    if (error instanceof HoldfastError) throw error;
    throw refusal(`${folder} cannot be made: ${messageOf(error)}; choose another folder by --dir`, error);
  }
}

/** rename(2): "newpath must either not exist, or it must specify an empty directory". */
function moveTo(folder: string, unfinished: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!IS_THERE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw refusal(
      `${folder} is there already, and nothing is replaced: choose another folder by --dir`,
      error,
    );
  }
}

function refusal(message: string, cause: unknown): HoldfastError {
  return new HoldfastError('INVALID_SETTING', message, { setting: '--dir' }, cause);
}
