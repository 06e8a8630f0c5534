/** Inputs in files: one a line, in hexadecimal, so that what changed is seen line by line. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fuzz } from './fuzzer.js';

/** @import { Target } from './types.js' */

const seedFolder = path.join(import.meta.dirname, 'seeds');

/** @param {string} file */
export function readInputs(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'hex'));
}

/**
 * The inputs that are kept with the sources, and those of former runs.
 *
 * @param {Target} target
 * @param {string | undefined} folder
 */
export function readCorpus({ name }, folder) {
  const own = readInputs(path.join(seedFolder, `${name}.txt`));
  return folder === undefined ? own : [...own, ...readInputs(path.join(folder, `${name}.txt`))];
}

/**
 * Keeps what is needed to reach all that was reached: short inputs first, and of the longer ones those that add to it.
 *
 * @param {Target} target
 * @param {string} folder
 * @param {readonly Uint8Array[]} corpus
 */
export function writeCorpus(target, folder, corpus) {
  const shortFirst = [...corpus].sort((a, b) => a.length - b.length);
  const needed = fuzz({ ...target, seeds: () => [] }, { seconds: 0, seed: 0, corpus: shortFirst }).corpus;
  mkdirSync(folder, { recursive: true });
  const lines = needed.map((input) => `${Buffer.from(input).toString('hex')}\n`);
  writeFileSync(path.join(folder, `${target.name}.txt`), lines.join(''));
}
