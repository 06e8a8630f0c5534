/** What a Markdown file says that can be checked: its headings, links, code blocks and code spans. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { anchorOf } from './markdown.js';
import { root } from './places.js';

/** @import { CodeBlock, MarkdownFile } from './types.js' */

/** Folders without pages of ours. */
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'generated', '.git', '.nx']);

/** @returns {MarkdownFile[]} all Markdown files of the repository */
export function readMarkdownFiles(folder = root) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const location = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : readMarkdownFiles(location);
    if (!entry.name.endsWith('.md')) return [];
    return [parseMarkdown(path.relative(root, location), readFileSync(location, 'utf8'))];
  });
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {MarkdownFile}
 */
export function parseMarkdown(name, text) {
  /** @type {CodeBlock[]} */
  const blocks = [];
  /** @type {string[]} */
  const prose = [];
  /** @type {{ language: string, lines: string[] } | undefined} */
  let open;
  for (const line of text.split('\n')) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) (open?.lines ?? prose).push(line);
    else if (open === undefined) open = { language: fence[1] ?? '', lines: [] };
    else {
      blocks.push({ language: open.language, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  const spans = prose.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
  const plain = prose.map((line) => line.replaceAll(/`[^`]*`/g, ''));
  return {
    name,
    blocks,
    spans,
    links: plain.flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)),
    anchors: anchorsOf(prose),
  };
}

/**
 * The anchors of the headings, as GitHub makes them: the second of two equal ones ends in `-1`.
 *
 * @param {readonly string[]} prose
 */
function anchorsOf(prose) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return prose.flatMap((line) => {
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
    if (heading === undefined) return [];
    const anchor = anchorOf(heading);
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return [count === 0 ? anchor : `${anchor}-${count}`];
  });
}
