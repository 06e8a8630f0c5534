/** docs/reference/rules.md: each rule of the protocol, and the tests that prove it. */
import { blocks } from '../markdown.js';
import { built } from '../places.js';
import { readRuleTests } from '../rule-tests.js';
import { ruleGroups } from '../rules.js';

/** @import { Probe } from '../../../libs/nbd-conformance/src/probe.js' */
/** @import { Page } from '../types.js' */
/** @import { RuleTest } from '../rule-tests.js' */

const intro = `# Rules, and what proves them

What holdfast keeps of the NBD protocol and of its own books, rule by rule. A test that proves a rule carries its number in its name, so that a
failure says which promise was broken; \`./tools/test\` runs them all.

The rules of the handshake and of transmission can be tried on any server that runs, by \`holdfast nbd check URI\`. A test tries
them on holdfast: over TCP and over a Unix socket, by both engines of the worker, and, where replies play a part, with simple
replies, with structured replies and with extended headers. [Other servers](conformance.md) have been tried too.`;

/** @param {Probe | undefined} probe */
function checkOf(probe) {
  if (probe === undefined) return [];
  if (probe.untriable !== undefined) return [`\`nbd check\`: not tried, ${probe.untriable}.`];
  const modes = probe.modes.length === 0 ? '' : ` with replies of the form ${probe.modes.join(', ')}`;
  return [`\`nbd check\`: tried${modes}.`];
}

/**
 * @param {string} where
 * @param {readonly RuleTest[]} tests
 */
function proofs(where, tests) {
  if (tests.length === 0) return [];
  const files = [...new Set(tests.map(({ file }) => file))];
  const links = files.map((file) => {
    const inAllModes = tests.some((test) => test.file === file && test.inAllModes);
    return `[${nameOf(file)}](../../${file})${inAllModes ? ' (in all modes)' : ''}`;
  });
  return [`${where}: ${links.join(', ')}.`];
}

/** @param {string} file */
function nameOf(file) {
  return `${file.split('/')[1]}: ${file.replace(/^.*\//, '').replace(/\.(test|e2e)\.ts$/, '')}`;
}

/**
 * @param {string} rule
 * @param {string} words
 * @param {readonly RuleTest[]} tests
 * @param {Probe | undefined} probe
 */
function section(rule, words, tests, probe) {
  const whole = tests.filter(({ file }) => file.endsWith('.e2e.ts'));
  const parts = tests.filter(({ file }) => !file.endsWith('.e2e.ts'));
  const lines = [...checkOf(probe), ...proofs('Real processes', whole), ...proofs('Beside the code', parts)];
  return blocks(`### ${rule}`, words, lines.map((line) => `- ${line}`).join('\n'));
}

/** @type {Page} */
export const rulesPage = {
  file: 'rules.md',
  source: 'tools/docs/rules.js and the names of the tests',
  render: async () => {
    const tests = readRuleTests();
    const unproven = ruleGroups.flatMap(({ rules }) => rules).filter(([rule]) => !tests.has(rule));
    if (unproven.length > 0) {
      throw new Error(`no test carries ${unproven.map(([rule]) => rule).join(', ')} in its name`);
    }
    /** @type {{ readonly probes: readonly Probe[] }} */
    const { probes } = await built('libs/nbd-conformance/dist/index.js');
    return blocks(
      intro,
      ...ruleGroups.map(({ heading, rules }) =>
        blocks(
          `## ${heading}`,
          ...rules.map(([rule, words]) =>
            section(
              rule,
              words,
              tests.get(rule) ?? [],
              probes.find((probe) => probe.rule === rule),
            ),
          ),
        ),
      ),
    );
  },
};
