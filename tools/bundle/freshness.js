/** Whether a bundle was made of what is compiled now. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const RECORD = 'modules.json';

/**
 * Records which of our own modules were read for a bundle, those too of which nothing is left in it. Modules of packages
 * change with the lock file only.
 *
 * @returns {import('rolldown').Plugin}
 */
export function recordModules() {
  return {
    name: 'record-modules',
    writeBundle({ dir }) {
      const folder = String(dir);
      const all = [...this.getModuleIds()];
      const own = all.filter((file) => path.isAbsolute(file) && !file.includes('/node_modules/'));
      const record = own.sort().map((file) => [path.relative(folder, file), digest(file)]);
      writeFileSync(path.join(folder, RECORD), JSON.stringify(Object.fromEntries(record), undefined, 1));
    },
  };
}

/**
 * By content, since a build that comes from a cache has the times of the copy.
 *
 * @param {string} folder of a bundle
 * @returns {string | undefined} a module that changed since, or the bundle itself if it is missing
 */
export function changedSince(folder) {
  const file = path.join(folder, RECORD);
  if (!existsSync(file)) return folder;
  const record = Object.entries(JSON.parse(readFileSync(file, 'utf8')));
  const changed = record.find(([module, recorded]) => digest(path.join(folder, module)) !== recorded);
  return changed && path.join(folder, changed[0]);
}

/** @param {string} file */
function digest(file) {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'gone';
}
