/**
 * Code that asks where it is keeps getting the answer that it would get outside of a bundle: the file that it was written
 * as. What it then looks for beside itself (`.proto` files, migrations, other packages) is there. The answer is worked
 * out from where the bundle is when it runs, so the checkout can be moved or copied.
 */
import path from 'node:path';
import MagicString from 'magic-string';
import { parseSync, Visitor } from 'rolldown/utils';

/** In every file of a bundle: a file given relative to the folder of the bundle, as a path and as a URL. */
export const prelude = `import { fileURLToPath as __filePathOf } from 'node:url';
const __urlBesideBundle = (relative) => new URL(relative, import.meta.url).href;
const __fileBesideBundle = (relative) => __filePathOf(__urlBesideBundle(relative));`;

/** What is worth parsing. */
const asksWhereItIs = /import\.meta|__dirname|__filename/;

/**
 * @typedef {object} Places
 * @property {string} folder where the bundle will be
 * @property {ReadonlyMap<string, string>} entries files of the bundle, by the file that each is made from
 */

/**
 * @param {string} source of a module
 * @param {string} file that it is in
 * @param {Places} places
 * @returns {MagicString | undefined} the module with its answers; nothing if it does not ask
 */
export function keepLocations(source, file, places) {
  if (!asksWhereItIs.test(source)) return undefined;
  const text = new MagicString(source);
  const { program, module } = parsed(source, file);

  const fromBundle = (/** @type {string} */ target) => JSON.stringify(relativeUrl(places.folder, target));
  const url = `__urlBesideBundle(${fromBundle(file)})`;
  const filename = `__fileBesideBundle(${fromBundle(file)})`;
  const dirname = `__fileBesideBundle(${fromBundle(path.dirname(file))})`;
  /** @type {Set<number>} where an identifier is a name only, or was answered already */
  const passed = new Set();

  new Visitor({
    // `new URL('./thread.js', import.meta.url)`: what is a file of the bundle itself is run from there.
    NewExpression({ callee, arguments: [relative, base] }) {
      if (callee.type !== 'Identifier' || callee.name !== 'URL') return;
      if (relative?.type !== 'Literal' || typeof relative.value !== 'string') return;
      if (base === undefined || source.slice(base.start, base.end) !== 'import.meta.url') return;
      const entry = places.entries.get(path.resolve(path.dirname(file), relative.value));
      if (entry === undefined) return;
      text.overwrite(relative.start, relative.end, JSON.stringify(`./${entry}`));
      passed.add(base.start);
    },
    MemberExpression({ object, property, computed, start, end }) {
      if (!computed) passed.add(property.start);
      if (object.type !== 'MetaProperty' || computed || property.type !== 'Identifier') return;
      if (passed.has(start)) return;
      const answer = new Map(Object.entries({ url, filename, dirname })).get(property.name);
      if (answer !== undefined) text.overwrite(start, end, answer);
    },
    Property({ key, computed, shorthand }) {
      if (!computed && !shorthand) passed.add(key.start);
    },
    // Modules of CommonJS only: elsewhere these are names like others.
    Identifier({ name, start, end }) {
      if (module.hasModuleSyntax || passed.has(start)) return;
      if (name === '__dirname') text.overwrite(start, end, dirname);
      if (name === '__filename') text.overwrite(start, end, filename);
    },
  }).visit(program);
  return text.hasChanged() ? text : undefined;
}

/**
 * Files of npm packages do not always say which kind of module they are.
 *
 * @param {string} source
 * @param {string} file
 */
function parsed(source, file) {
  const guessed = parseSync(file, source, { sourceType: 'unambiguous' });
  const result = guessed.errors.length === 0 ? guessed : parseSync(file, source, { sourceType: 'commonjs' });
  if (result.errors.length > 0)
    throw new Error(`${file} cannot be parsed: ${result.errors[0]?.message ?? ''}`);
  return result;
}

/**
 * @param {string} folder
 * @param {string} file
 */
function relativeUrl(folder, file) {
  return path.relative(folder, file).split(path.sep).map(encodeURIComponent).join('/');
}
