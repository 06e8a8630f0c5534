/** Where things are in the repository. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = path.resolve(import.meta.dirname, '../..');
export const reference = path.join(root, 'docs/reference');

/** The code was not built, so there is nothing to make pages from. */
export class NotBuilt extends Error {
  /** @param {string} file path from the root of the repository */
  constructor(file) {
    super(`${file} is not there: build first, by npm run build`);
  }
}

/**
 * Loads a built module.
 *
 * @param {string} file path from the root of the repository
 */
export async function built(file) {
  const location = path.join(root, file);
  if (!existsSync(location)) throw new NotBuilt(file);
  return await import(pathToFileURL(location).href);
}
