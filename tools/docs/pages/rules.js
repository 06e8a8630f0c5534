/** docs/reference/rules.md: each rule of the protocol, and the tests that prove it. */
import { blocks, table } from '../markdown.js';
import { readRuleTests } from '../rule-tests.js';
import { ruleGroups } from '../rules.js';

/** @import { Page } from '../types.js' */
/** @import { RuleTest } from '../rule-tests.js' */

const intro = `# Rules, and what proves them

What holdfast keeps of the NBD protocol, rule by rule. A test that proves a rule carries its number in its name, so that a
failure says which promise was broken; \`./tools/test\` runs them all. To try the same rules on a server that runs:
\`holdfast nbd check URI\`.`;

/** @param {readonly RuleTest[]} tests */
function proofs(tests) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { file } of tests) counts.set(file, (counts.get(file) ?? 0) + 1);
  return [...counts].map(([file, count]) => `[${nameOf(file)}](../../${file}) (${count})`).join(', ');
}

/** @param {string} file */
function nameOf(file) {
  return `${file.split('/')[1]}: ${file.replace(/^.*\//, '').replace(/\.(test|e2e)\.ts$/, '')}`;
}

/** @type {Page} */
export const rulesPage = {
  file: 'rules.md',
  source: 'tools/docs/rules.js and the names of the tests',
  render: () => {
    const tests = readRuleTests();
    const unproven = ruleGroups.flatMap(({ rules }) => rules).filter(([rule]) => !tests.has(rule));
    if (unproven.length > 0) {
      throw new Error(`no test carries ${unproven.map(([rule]) => rule).join(', ')} in its name`);
    }
    return blocks(
      intro,
      ...ruleGroups.map(({ heading, rules }) =>
        blocks(
          `## ${heading}`,
          table(
            ['Rule', 'What it says', 'Proven by (tests)'],
            rules.map(([rule, words]) => [rule, words, proofs(tests.get(rule) ?? [])]),
          ),
        ),
      ),
    );
  },
};
