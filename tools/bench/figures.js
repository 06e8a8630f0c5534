/** Numbers as people read them. */

export const nothing = '–';

/**
 * @param {number | undefined} value
 * @param {number} [digits]
 */
export function figure(value, digits = 0) {
  if (value === undefined) return nothing;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * With three digits that say something.
 * @param {number | undefined} value
 */
export function significant(value) {
  if (value === undefined) return nothing;
  return figure(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** @param {{ min: number, max: number }} range */
export const range = ({ min, max }) => `${figure(min, 2)}–${figure(max, 2)}`;

/** @param {number} bytes */
export const mebibytes = (bytes) => significant(bytes / 2 ** 20);
