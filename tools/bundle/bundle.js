/** Makes of a program, with all that it imports, a few files that Node.js loads at once. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { keepOutside } from './outside.js';
import { keepLocations, prelude } from './locations.js';
import { recordModules } from './freshness.js';

/**
 * Writes a file of the same name for each source, and beside them what these share or import later.
 *
 * @param {readonly string[]} sources the program's own files that Node.js is told to run: its main module, its threads
 * @param {string} folder for the bundle; what was there goes
 */
export async function bundle(sources, folder) {
  const entries = new Map(sources.map((source) => [path.resolve(source), path.basename(source)]));
  const places = { folder: path.resolve(folder), entries };
  const build = await rolldown({
    input: Object.fromEntries([...entries].map(([file, name]) => [path.parse(name).name, file])),
    platform: 'node',
    plugins: [keepOutside(places.folder), optionalPackages, locations(places), sourceMaps, recordModules()],
    onLog(level, log, report) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      report(level, log);
    },
  });
  try {
    await build.write({
      dir: places.folder,
      cleanDir: true,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      banner: prelude,
      // Nest and the logs tell classes by name.
      keepNames: true,
      // Nobody reads them here, but Node.js would; licences stay.
      comments: { legal: true, annotation: false, jsdoc: false },
      sourcemap: true,
    });
  } finally {
    await build.close();
  }
}

/**
 * Packages try to import others that need not be installed: as without a bundle, that is found out when they do.
 *
 * @type {import('rolldown').Plugin}
 */
const optionalPackages = {
  name: 'optional-packages',
  async resolveId(specifier, importer, options) {
    if (!importer?.includes('/node_modules/')) return undefined;
    const found = await this.resolve(specifier, importer, { ...options, skipSelf: true });
    return found ?? { id: specifier, external: true };
  },
};

/**
 * @param {import('./locations.js').Places} places
 * @returns {import('rolldown').Plugin}
 */
function locations(places) {
  return {
    name: 'locations',
    transform(source, id) {
      const text = isScript(id) ? keepLocations(source, id, places) : undefined;
      return text && { code: text.toString(), map: text.generateMap({ hires: 'boundary', source: id }) };
    },
  };
}

/**
 * Our own files come with maps to the TypeScript that they were compiled from. Those of packages are left out of the maps,
 * which would be ten times as large, and Node.js reads them at the start.
 *
 * @type {import('rolldown').Plugin}
 */
const sourceMaps = {
  name: 'source-maps',
  load(id) {
    if (!isScript(id)) return undefined;
    const map = `${id}.map`;
    const own = !id.includes('/node_modules/') && existsSync(map);
    return { code: readFileSync(id, 'utf8'), map: own ? readFileSync(map, 'utf8') : { mappings: '' } };
  },
};

/**
 * The bundler's own modules have names that are no paths, and other files, like JSON, have its own care.
 *
 * @param {string} id of a module
 */
function isScript(id) {
  return path.isAbsolute(id) && /\.[cm]?js$/.test(id);
}
