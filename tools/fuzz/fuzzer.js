import { blocksOf } from './instrumentation/blocks.js';
import { Reached } from './instrumentation/reached.js';
import { mutate } from './mutate.js';
import { Random } from './random.js';
import { ruleOf, shrink } from './shrink.js';

/** @import { Finding, Outcome, Target } from './types.js' */

/** The clock is looked at once in so many inputs. */
const INPUTS_BETWEEN_LOOKS = 64;

/** Different rules that are broken before a run gives up: the first few tell what is wrong. */
const FINDINGS_MAX_DEFAULT = 20;

/**
 * Feeds a target inputs until time is up. What reaches something new joins the corpus, from which the next are made.
 *
 * @param {Target} target
 * @param {{ seconds: number, seed: number, corpus: readonly Uint8Array[], findingsMax?: number, progress?: (outcome: Outcome) => void }} options
 * @returns {Outcome}
 */
export function fuzz(target, { seconds, seed, corpus: begin, findingsMax = FINDINGS_MAX_DEFAULT, progress }) {
  const random = new Random(seed);
  const reached = new Reached();
  /** @type {Uint8Array[]} */
  const corpus = [];
  /** @type {Map<string, Finding>} */
  const findings = new Map();
  const started = performance.now();
  let executions = 0;
  let told = 0;
  const blocks = blocksOf(target.underTest);

  const elapsed = () => (performance.now() - started) / 1000;
  const outcome = () => ({
    target: target.name,
    executions,
    seconds: elapsed(),
    blocksReached: blocks.filter((block) => reached.has(block)).length,
    blocks: blocks.length,
    corpus,
    findings: [...findings.values()],
  });
  /** @param {Uint8Array} input */
  const execute = (input) => {
    executions += 1;
    reached.begin();
    try {
      target.run(input);
    } catch (error) {
      reached.end();
      const rule = ruleOf(error);
      if (!findings.has(rule)) findings.set(rule, { rule, input: shrink(target, input, rule), error });
      return;
    }
    if (reached.end()) corpus.push(Uint8Array.from(input));
  };

  for (const input of [...target.seeds(), ...begin]) execute(input);
  if (corpus.length === 0) corpus.push(new Uint8Array(target.setupBytes));
  while (elapsed() < seconds && findings.size < findingsMax) {
    for (let turn = 0; turn < INPUTS_BETWEEN_LOOKS; turn += 1) execute(mutate(target, random, corpus));
    if (progress && elapsed() - told >= 60) {
      told = elapsed();
      progress(outcome());
    }
  }
  return outcome();
}
