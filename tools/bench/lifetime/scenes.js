/** Programs that make many chains, and programs that make one. Each has ten rows: an S row, four E rows, five U rows. */

/** @import { Effects, Field } from '../../../libs/lifetime/dist/index.js' */

/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {(number: number) => Effects} effectsOf of the program of this number
 */

export const rowsPerProgram = 10;
const programsPerChain = 10;

/** @type {readonly Scene[]} */
export const scenes = [
  {
    name: 'many small chains',
    effectsOf: (number) => {
      const chain = Math.floor(number / programsPerChain);
      return effects(`chain${chain}`, number % programsPerChain, 'A');
    },
  },
  { name: 'one giant chain', effectsOf: (number) => effects('giant', number, 'A') },
];

/**
 * Of programs that store nothing: they make one giant chain with a placeholder.
 *
 * @param {number} number
 * @returns {Effects}
 */
export function withoutStores(number) {
  const { moves, uses } = effects('giant', number, 'A');
  return { stores: [], moves, uses };
}

/**
 * A program that moves values down its own map, and on to that of the next program.
 *
 * @param {string} chain
 * @param {number} number
 * @param {string} allocator
 * @returns {Effects}
 */
export function effects(chain, number, allocator) {
  const map = `${chain}-${number}`;
  const own = ['a', 'b', 'c', 'd'].map((field) => ({ map, field }));
  const fields = [...own, { map: `${chain}-${number + 1}`, field: 'a' }];
  const moves = fields.slice(1).map((to, at) => ({ from: /** @type {Field} */ (fields[at]), to }));
  return { stores: [{ allocator, into: /** @type {Field} */ (fields[0]) }], moves, uses: fields };
}
