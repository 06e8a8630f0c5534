/** Which tests carry which rules, read from the names in the sources. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root } from './places.js';

/** `T4`, `T4 T18`, `T1–T7 T15`, in front of what the test shows. */
const prefix = /^(?:[A-Z]\d+(?:–[A-Z]\d+)? )+/;

/** A suite that is run in each mode of replies, by the name of their list. */
const eachMode = /^describe\.each\(replyModes\)$/;

/**
 * @typedef {object} RuleTest
 * @property {string} file path from the root of the repository
 * @property {string} title without the rules in front
 * @property {boolean} inAllModes it is done in each mode of replies
 */

/** @returns {Map<string, RuleTest[]>} by rule, in the order of files */
export function readRuleTests() {
  /** @type {Map<string, RuleTest[]>} */
  const tests = new Map();
  const listed = execFileSync('git', ['ls-files', 'apps', 'libs'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\n').filter((name) => /\.(test|e2e)\.ts$/.test(name))) {
    for (const { title, inAllModes } of titlesOf(file)) {
      for (const rule of rulesOf(title)) {
        const test = { file, title: title.replace(prefix, ''), inAllModes };
        tests.set(rule, [...(tests.get(rule) ?? []), test]);
      }
    }
  }
  return tests;
}

/**
 * The names of tests and suites, as they stand in the source.
 *
 * @param {string} file
 */
function titlesOf(file) {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
  );
  /** @type {{ readonly title: string, readonly inAllModes: boolean }[]} */
  const titles = [];
  /**
   * @param {ts.Node} node
   * @param {boolean} inAllModes
   */
  const visit = (node, inAllModes) => {
    const isForModes = ts.isCallExpression(node) && eachMode.test(node.expression.getText(source));
    const within = inAllModes || isForModes;
    if (ts.isCallExpression(node) && /^(test|it|describe)\b/.test(node.expression.getText(source))) {
      const [title] = node.arguments;
      if (title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) {
        titles.push({ title: title.getText(source).slice(1, -1), inAllModes: within });
      }
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(source, false);
  return titles;
}

/**
 * `T1–T3 T9 …` carries T1, T2, T3 and T9.
 *
 * @param {string} title
 * @returns {string[]}
 */
export function rulesOf(title) {
  const words = (prefix.exec(title)?.[0] ?? '').split(' ').filter((word) => word !== '');
  return words.flatMap((word) => {
    const [first = '', last = first] = word.split('–');
    const [from, to] = [Number(first.slice(1)), Number(last.slice(1))];
    return Array.from({ length: to - from + 1 }, (_, index) => `${first[0]}${from + index}`);
  });
}
