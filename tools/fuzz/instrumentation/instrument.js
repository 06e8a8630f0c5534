/**
 * Makes code count its blocks: every function, branch, case, loop body and right side of a short-circuit adds one when
 * it runs. Lines stay where they are.
 */
import { parse } from 'acorn';
import MagicString from 'magic-string';

/** @typedef {{ type: string, start: number, end: number } & Record<string, unknown>} Node */

/**
 * @param {string} source of an ES module
 * @param {string} url
 */
export function instrument(source, url) {
  const text = new MagicString(source);
  let blocks = 0;
  const count = () => `__counts[__first+${blocks++}]++`;

  /** @param {Node} node */
  const countExpression = (node) => {
    text.appendLeft(node.start, `(${count()},`);
    text.prependRight(node.end, ')');
  };
  /** @param {Node} node */
  const countStatement = (node) => {
    if (node.type === 'BlockStatement') {
      text.appendRight(node.start + 1, `${count()};`);
    } else {
      text.appendLeft(node.start, `{${count()};`);
      text.prependRight(node.end, '}');
    }
  };

  for (const node of nodesOf(/** @type {Node} */ (/** @type {unknown} */ (parsed(source))))) {
    const part = (/** @type {string} */ name) => /** @type {Node | null | undefined} */ (node[name]);
    const body = part('body');
    const alternate = part('alternate');
    const consequent = part('consequent');
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'CatchClause':
        if (body) countStatement(body);
        break;
      case 'ArrowFunctionExpression':
        if (body?.type === 'BlockStatement') countStatement(body);
        else if (body) countExpression(body);
        break;
      case 'IfStatement':
        // What ends at one place is written from the outside in, each in front of what is there.
        if (alternate) countStatement(alternate);
        else text.prependRight(node.end, ` else {${count()}}`);
        if (consequent) countStatement(consequent);
        break;
      case 'ConditionalExpression':
        if (consequent) countExpression(consequent);
        if (alternate) countExpression(alternate);
        break;
      case 'LogicalExpression':
        countExpression(/** @type {Node} */ (node['right']));
        break;
      case 'SwitchCase': {
        const [first] = /** @type {Node[]} */ (node['consequent']);
        if (first) text.appendLeft(first.start, `${count()};`);
        break;
      }
    }
  }
  const enter = `globalThis.holdfastBlocks.enter(${JSON.stringify(url)},${blocks})`;
  return text.prepend(`const __counts=globalThis.holdfastBlocks.counts,__first=${enter};`).toString();
}

/** @param {string} source */
function parsed(source) {
  return parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
}

/**
 * A node and all within, outer ones first.
 *
 * @param {Node} node
 * @returns {Generator<Node>}
 */
function* nodesOf(node) {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child);
    }
  }
}

/**
 * @param {unknown} value
 * @returns {value is Node}
 */
function isNode(value) {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string';
}
