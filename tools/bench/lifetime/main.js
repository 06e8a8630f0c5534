/** How long loads and unloads of programs take in a dependency table that is full, how that grows, and what it holds. */
import { Command, InvalidArgumentError } from 'commander';
import { DependencyTable } from '../../../libs/lifetime/dist/index.js';
import { effects, rowsPerProgram, scenes, withoutStores } from './scenes.js';
import { Sample, microseconds, milliseconds, timed } from './times.js';

/** @import { Effects, Outcome } from '../../../libs/lifetime/dist/index.js' */
/** @import { Scene } from './scenes.js' */

/** Programs that are unloaded from the full table, spread over it, and loaded again. */
const sample = 10_000;
/** Fewer have no spread. */
const programsMin = 1000;
/** Unloads before those that count: code that has not run yet is slow. */
const warmUps = 1000;
/** A prime, so that every program has its turn, and no two neighbours follow each other. */
const stride = 7919;
/** Free sites that ask for their allocator. */
const lookUps = 1_000_000;
/** Programs that bind a chain of their own, to compare with. */
const bindings = 1000;

/** @param {string} text */
function count(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < programsMin)
    throw new InvalidArgumentError(`It is a whole number from ${programsMin}.`);
  return number;
}

const options = new Command('tools/bench/lifetime/run')
  .description('Times the table that keeps allocators alive, at a hundredth, a tenth and all of its size')
  .option(
    '--programs <count>',
    `programs that are loaded at once, with ${rowsPerProgram} rows each`,
    count,
    100_000,
  )
  .parse()
  .opts();

const sizes = [100, 10, 1].map((part) => Math.max(programsMin, Math.round(options['programs'] / part)));
for (const scene of scenes) for (const programs of new Set(sizes)) measure(scene, programs);
for (const programs of new Set(sizes)) measurePropagation(programs);

/**
 * @param {Scene} scene
 * @param {number} programs
 */
function measure({ name, effectsOf }, programs) {
  console.log(`\n${name}: ${programs} programs, ${programs * rowsPerProgram} rows`);
  const before = heapBytes();
  const table = tableWith('A');
  // The last tenth is loaded into a table that is nearly full.
  const loads = new Sample();
  for (const number of range(programs)) {
    const act = () => load(table, number, effectsOf(number));
    if (number < programs * 0.9) act();
    else loads.add(act);
  }
  console.log(`  memory: ${Math.round((heapBytes() - before) / 2 ** 20)} MiB`);
  console.log(`  load: ${loads.describe()}`);

  const unloads = new Sample();
  for (const at of range(warmUps + sample)) {
    const number = (at * stride) % programs;
    const act = () => unload(table, number, true);
    if (at < warmUps) act();
    else unloads.add(act);
    load(table, number, effectsOf(number));
  }
  console.log(`  unload, others go on: ${unloads.describe()}`);

  const records = table.records();
  const rebuilt = timed(() => DependencyTable.from(records));
  console.log(`  rebuilt from its rows: ${milliseconds(rebuilt)}`);

  const all = range(programs);
  const last = all.pop() ?? 0;
  for (const number of all) unload(table, number, false);
  console.log(`  last unload, a value is left: ${milliseconds(timed(() => unload(table, last, false)))}`);
  load(table, last, effectsOf(last));
  console.log(`  the same again: ${milliseconds(timed(() => unload(table, last, false)))}`);
  load(table, last, effectsOf(last));
  const chains = table.chains().length;
  const dissolve = timed(() => unload(table, last, true));
  console.log(`  last unload, its chain dissolves: ${milliseconds(dissolve)} (of ${chains} chains)`);
}

/**
 * A chain with a placeholder is bound, which every field of it then knows.
 *
 * @param {number} programs
 */
function measurePropagation(programs) {
  console.log(`\npropagation to a chain of ${programs} programs, ${programs * 4 + 1} fields`);
  const table = tableWith('A');
  for (const number of range(programs)) load(table, number, withoutStores(number));
  const fields = range(programs).map((number) => ({ map: `giant-${number}`, field: 'a' }));
  const alone = new Sample();
  for (const number of range(bindings))
    alone.add(() => load(table, programs + 1 + number, effects(`small${number}`, 0, 'A')));
  const bind = timed(() => load(table, programs, effects('giant', 0, 'A')));
  const lookUp = timed(() => {
    for (let at = 0; at < lookUps; at++) {
      const field = fields[(at * stride) % programs];
      if (field === undefined || table.allocatorOf(field) !== 'A')
        throw new Error('the allocator is not known');
    }
  });
  console.log(`  load that binds a new chain: ${alone.describe()}`);
  console.log(`  load that binds the giant chain: ${microseconds(bind)}`);
  console.log(`  a free site asks for its allocator: ${Math.round((lookUp / lookUps) * 1e6)} ns on average`);
}

/** @param {string} allocator */
function tableWith(allocator) {
  const table = new DependencyTable();
  commit(table, table.createAllocator(allocator));
  return table;
}

/**
 * @param {DependencyTable} table
 * @param {number} number
 * @param {Effects} programEffects
 */
function load(table, number, programEffects) {
  commit(table, table.load(`program${number}`, programEffects));
}

/**
 * @param {DependencyTable} table
 * @param {number} number
 * @param {boolean} isEmpty
 */
function unload(table, number, isEmpty) {
  table.commit(table.unload(`program${number}`, () => isEmpty));
}

/**
 * @param {DependencyTable} table
 * @param {Outcome} outcome
 */
function commit(table, outcome) {
  if (!outcome.accepted) throw new Error(`rejected: ${outcome.rejection.reason}`);
  table.commit(outcome.change);
}

/** @param {number} length */
function range(length) {
  return Array.from({ length }, (_, at) => at);
}

function heapBytes() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
