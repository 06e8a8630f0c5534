/**
 * Breaks the dependency table of libs/lifetime in a temporary copy, one way at a time, and runs the tests of the room on it.
 * A mutant that no test catches fails the run: then a test is missing. Arguments choose mutants by a word of their name.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mutants } from './mutants.js';

/** @import { Mutant } from './mutants.js' */

const root = path.resolve(import.meta.dirname, '../..');
const copied = ['tsconfig.base.json', ...['foundation', 'lifetime'].flatMap(room)];
/** Longer than the suite takes on a busy machine. A mutant that never ends is caught as well. */
const suiteMs = 300_000;

const words = process.argv.slice(2);
const chosen = mutants.filter(({ name }) => words.every((word) => name.includes(word)));
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-mutation-'));
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => process.exit(1));

for (const file of copied) cpSync(path.join(root, file), path.join(folder, file), { recursive: true });
symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
writeFileSync(
  path.join(folder, 'vitest.config.ts'),
  `export default {
  cacheDir: ${JSON.stringify(path.join(folder, 'cache'))},
  resolve: { alias: { '@holdfast/foundation': ${JSON.stringify(path.join(folder, 'libs/foundation/src/index.ts'))} } },
  test: { include: ['libs/lifetime/src/**/*.test.ts'] },
};
`,
);

const unbroken = failedTests();
if (unbroken !== undefined) throw new Error(`the tests fail without any mutant: ${unbroken.join(', ')}`);

let survivors = 0;
for (const mutant of chosen) {
  const caughtBy = withMutant(mutant, failedTests);
  if (caughtBy === undefined) survivors++;
  console.log(`${caughtBy === undefined ? 'SURVIVED' : 'caught'}  ${mutant.name}`);
  for (const test of caughtBy ?? []) console.log(`        by ${test}`);
}
console.log(`${chosen.length - survivors} caught, ${survivors} survived`);
process.exit(survivors === 0 && chosen.length > 0 ? 0 : 1);

/** @param {string} name */
function room(name) {
  return ['package.json', 'tsconfig.json', 'src'].map((file) => `libs/${name}/${file}`);
}

/**
 * @template Result
 * @param {Mutant} mutant
 * @param {() => Result} act
 */
function withMutant({ name, file, from, to }, act) {
  const place = path.join(folder, 'libs/lifetime/src', file);
  const source = readFileSync(place, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file} does not have the text of "${name}" once`);
  writeFileSync(
    place,
    source.replace(from, () => to),
  );
  try {
    return act();
  } finally {
    writeFileSync(place, source);
  }
}

/** The tests that fail, if any does. */
function failedTests() {
  const report = path.join(folder, 'report.json');
  rmSync(report, { force: true });
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const options = ['--reporter', 'json', '--outputFile', report];
  const { status, error } = spawnSync(process.execPath, [vitest, 'run', '--root', folder, ...options], {
    cwd: folder,
    encoding: 'utf8',
    timeout: suiteMs,
  });
  if (error !== undefined) return [`a limit of time: ${error.message}`];
  if (status === 0) return undefined;
  /** @type {{ testResults: { message: string, assertionResults: { fullName: string, status: string }[] }[] }} */
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((test) => test.status === 'failed');
  // A mutant that cannot be run proves nothing about the tests.
  if (failed.length === 0) throw new Error(testResults.map(({ message }) => message).join('\n'));
  return failed.map(({ fullName }) => fullName);
}
