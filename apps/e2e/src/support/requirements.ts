import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Sbin folders are not in every user's PATH, but hold programs that tests look for. */
const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];

export const isRoot = process.getuid?.() === 0;

export function hasCommand(name: string): boolean {
  return folders.some((folder) => isExecutable(path.join(folder, name)));
}

/** What a test cannot do without, as `describe.skipIf(x.missing)(`… ${x.note}`)` wants it: a skip always says why. */
export interface Requirement {
  readonly missing: boolean;
  /** For the title: empty, or `[skipped: needs fio]`. */
  readonly note: string;
}

/** @param needs what must be there, by the words that name it in a title */
export function requirement(needs: Readonly<Record<string, boolean>>): Requirement {
  const absent = Object.keys(needs).filter((name) => needs[name] !== true);
  return {
    missing: absent.length > 0,
    note: absent.length > 0 ? `[skipped: needs ${absent.join(', ')}]` : '',
  };
}

/** Programs that must be installed. */
export function requireCommands(...names: readonly string[]): Requirement {
  return requirement(Object.fromEntries(names.map((name) => [name, hasCommand(name)])));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
