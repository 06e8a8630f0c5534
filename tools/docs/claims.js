/** Claims of Markdown files that can be wrong: links, paths of this repository, commands of ours. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './places.js';

/** @import { CliCommand, MarkdownFile } from './types.js' */

/** Code blocks that are typed into a shell; all others show output, or another language. */
const SHELLS = new Set(['bash', 'sh']);

/** What ends a command in a line of shell. */
const SEPARATOR = /^(\||\|\||&&|&|;|\)|<|>|2>|>>|\\)/;

/**
 * The links of a file that lead nowhere. Those to other sites are not followed.
 *
 * @param {MarkdownFile} file
 * @param {readonly MarkdownFile[]} files
 */
export function brokenLinks(file, files) {
  const own = file.links.filter((link) => !/^[a-z]+:/.test(link));
  return own.filter((link) => {
    const [target = '', anchor] = link.split('#');
    const place = target === '' ? file.name : path.join(path.dirname(file.name), target);
    if (!existsSync(path.join(root, place))) return true;
    if (anchor === undefined) return false;
    return !files.some(({ name, anchors }) => name === place && anchors.includes(anchor));
  });
}

/**
 * The paths of this repository that a file names and that are not there. Stars and braces stand for what they do in a
 * shell; paths with placeholders are passed over.
 *
 * @param {MarkdownFile} file
 */
export function missingPaths(file) {
  const words = [...file.spans, ...file.blocks.map(({ text }) => text)].flatMap((text) =>
    text.split(/[\s"'`=()[\]]+/),
  );
  const paths = words
    .map((word) => word.replace(/[.,:;]+$/, ''))
    .filter((word) =>
      /^(\.\/)?(apps|libs|proto|prisma|tools|docs|examples|\.ci)(\/[\w.@*{},-]+)+\/?$/.test(word),
    );
  return [...new Set(paths)].filter(
    (one) => !braces(one).every((variant) => matches(root, variant.split('/'))),
  );
}

/**
 * `a/{b,c}/d` is `a/b/d` and `a/c/d`.
 *
 * @param {string} pattern
 * @returns {string[]}
 */
function braces(pattern) {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = '', choices = '', after = ''] = match;
  return choices.split(',').flatMap((choice) => braces(`${before}${choice}${after}`));
}

/**
 * @param {string} folder
 * @param {readonly string[]} segments
 * @returns {boolean}
 */
function matches(folder, [segment, ...rest]) {
  if (segment === undefined) return true;
  if (segment === '' || segment === '.') return matches(folder, rest);
  if (!segment.includes('*')) {
    const next = path.join(folder, segment);
    return existsSync(next) && matches(next, rest);
  }
  const expression = new RegExp(`^${segment.split('*').map(escape).join('.*')}$`);
  return readdirSync(folder).some((name) => expression.test(name) && matches(path.join(folder, name), rest));
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * What is wrong with the commands of ours that a file shows, in code spans and in blocks of shell: unknown commands,
 * unknown options.
 *
 * @param {MarkdownFile} file
 * @param {CliCommand} tree
 */
export function wrongCommands(file, tree) {
  const shell = file.blocks.filter(({ language }) => SHELLS.has(language)).map(({ text }) => text);
  const lines = [...shell.flatMap((text) => text.replaceAll('\\\n', ' ').split('\n')), ...file.spans];
  return lines.flatMap((line) =>
    invocations(line).flatMap((words) => {
      const problem = problemOf(words, tree);
      return problem === undefined ? [] : [`${problem}: ${line.trim()}`];
    }),
  );
}

/**
 * The words after each `holdfast` (or `tools/serve`, which is `holdfast serve`) in a line of shell.
 *
 * @param {string} line
 */
function invocations(line) {
  const words = line
    .replace(/(^|\s)#.*$/, '')
    .replaceAll(/[;|)]/g, ' $& ')
    .split(/\s+/);
  return words.flatMap((word, at) => {
    const program = word.replace(/^[("$]+/, '');
    const isServe = /^(\.\/)?tools\/serve$/.test(program);
    if (program !== 'holdfast' && !isServe) return [];
    const rest = words.slice(at + 1);
    const end = rest.findIndex((one) => SEPARATOR.test(one));
    return [[...(isServe ? ['serve'] : []), ...(end < 0 ? rest : rest.slice(0, end))]];
  });
}

/**
 * @param {readonly string[]} words
 * @param {CliCommand} tree
 */
function problemOf(words, tree) {
  let command = tree;
  let at = 0;
  for (; at < words.length && command.subcommands.length > 0; at++) {
    const word = words[at] ?? '';
    const next = command.subcommands.find((one) => one.words.at(-1) === word);
    if (next !== undefined) command = next;
    else if (/^[a-z][a-z-]*$/.test(word))
      return isService(word) ? undefined : `there is no command "${word}"`;
    else break;
  }
  const known = new Set([...tree.options, ...command.options]);
  const unknown = words
    .slice(at)
    .map((word) => /^--?[a-z][a-z-]*/i.exec(word)?.[0])
    .find((option) => option !== undefined && !known.has(option));
  return unknown === undefined ? undefined : `there is no option ${unknown}`;
}

/**
 * `holdfast io-worker` is the title of a process, not a command.
 *
 * @param {string} word
 */
function isService(word) {
  return existsSync(path.join(root, 'apps', word, 'src/main.ts'));
}
