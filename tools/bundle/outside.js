/** What stays a package of its own, and is imported by the bundle when it runs. */
import { createRequire } from 'node:module';
import path from 'node:path';

const outside = [
  // Compiled add-ons find their binaries from where they are.
  /^(koffi|better-sqlite3)$/,
  // Megabytes in one string: loaded as they are, they need not be in every bundle.
  /\.wasm-base64\.m?js$/,
];

/**
 * @param {string} folder where the bundle will be
 * @returns {import('rolldown').Plugin}
 */
export function keepOutside(folder) {
  return {
    name: 'outside',
    resolveId(specifier, importer) {
      if (importer === undefined || !outside.some((pattern) => pattern.test(specifier))) return undefined;
      const found = resolveFrom(importer, specifier);
      const foundByBundle = resolveFrom(path.join(folder, 'main.js'), specifier);
      if (found !== foundByBundle) {
        throw new Error(
          `${specifier} is ${found} for ${importer}, but ${foundByBundle} for a bundle in ${folder}`,
        );
      }
      return { id: specifier, external: true };
    },
  };
}

/**
 * @param {string} file
 * @param {string} specifier
 */
function resolveFrom(file, specifier) {
  try {
    return createRequire(file).resolve(specifier);
  } catch {
    return 'not there';
  }
}
