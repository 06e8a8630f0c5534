/** Markup as strings. What is shown goes through `text`; everything else is ours. */

/** @type {Record<string, string>} */
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** @param {string | number} shown */
export const text = (shown) => String(shown).replace(/[&<>"']/g, (letter) => entities[letter] ?? letter);

/**
 * An element. Without children it is closed in itself, as SVG and XML take it.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...string} children markup
 */
export function tag(name, attributes, ...children) {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${text(value)}"`);
  const open = `<${name}${pairs.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

/**
 * @param {string[]} head
 * @param {string[][]} rows markup of the cells
 * @param {number} wordColumns
 */
export function htmlTable(head, rows, wordColumns) {
  const align = (/** @type {number} */ column) => (column < wordColumns ? 'word' : 'figure');
  const titles = head.map((title, i) => tag('th', { scope: 'col', class: align(i) }, text(title)));
  const lines = rows.map((cells) =>
    tag('tr', {}, ...cells.map((cell, i) => tag('td', { class: align(i) }, cell))),
  );
  const body = [tag('thead', {}, tag('tr', {}, ...titles)), tag('tbody', {}, ...lines)];
  // Wide tables scroll by themselves, and the page does not.
  return tag('div', { class: 'scroll', tabindex: 0 }, tag('table', {}, ...body));
}
