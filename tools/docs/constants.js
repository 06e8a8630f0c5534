/** Reads numeric constants and their doc comments from TypeScript sources, exported or not. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root } from './places.js';

/** @import { Constant } from './types.js' */

/**
 * The numeric constants at the top level of a source file, in their order.
 *
 * @param {string} file path from the root of the repository
 * @returns {Map<string, Constant>}
 */
export function readConstants(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  /** @type {Map<string, Constant>} */
  const constants = new Map();
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const value = initializer === undefined ? undefined : evaluate(initializer, constants);
      if (value === undefined || !ts.isIdentifier(name)) continue;
      constants.set(name.text, { name: name.text, comment: commentOf(statement), value });
    }
  }
  return constants;
}

/**
 * Arithmetic on numbers and on constants above; undefined for everything else.
 *
 * @param {ts.Expression} node
 * @param {ReadonlyMap<string, Constant>} known
 * @returns {number | undefined}
 */
function evaluate(node, known) {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isIdentifier(node)) return known.get(node.text)?.value;
  if (ts.isParenthesizedExpression(node)) return evaluate(node.expression, known);
  if (!ts.isBinaryExpression(node)) return undefined;
  const left = evaluate(node.left, known);
  const right = evaluate(node.right, known);
  if (left === undefined || right === undefined) return undefined;
  switch (node.operatorToken.kind) {
    case ts.SyntaxKind.PlusToken:
      return left + right;
    case ts.SyntaxKind.AsteriskToken:
      return left * right;
    case ts.SyntaxKind.AsteriskAsteriskToken:
      return left ** right;
    default:
      return undefined;
  }
}

/**
 * The doc comment in front of a statement, as one paragraph.
 *
 * @param {ts.Statement} statement
 */
function commentOf(statement) {
  const docs = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc);
  const comment = ts.getTextOfJSDocComment(docs.at(-1)?.comment) ?? '';
  return comment
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
