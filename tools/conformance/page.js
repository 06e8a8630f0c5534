/** The text of docs/reference/conformance.md. */
import { probes } from '../../libs/nbd-conformance/dist/index.js';
import { remarks } from './remarks.js';

/** @import { Verdict } from '../../libs/nbd-conformance/dist/index.js' */

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string} version
 * @property {readonly Verdict[]} verdicts
 */

const intro = `<!-- Made by tools/conformance/compare.js: run it again, do not edit. -->

# How servers keep to the protocol

\`holdfast nbd check\` holds any NBD server to the rules of the [specification](https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md), by raw bytes and
over connections of its own. What it says of holdfast and of the other servers on Linux is below. \`node tools/conformance/compare.js\` finds it out anew. Every
verdict against another server was read against the specification by hand.

- **MUST**, **SHOULD**: broken, and how strongly the specification asks for it. In brackets: the modes of replies.
- **kept**: all that was tried is as it should be.
- **–**: the server does not offer what the rule is about, as it may.
- **not tried**: it cannot be seen from outside, or TLS is not used here.

Without \`--write\` nothing is written: what would be is "not tried". With it, 64 KiB in the middle of the export are
overwritten, and written back. The exit code is 0 when nothing is broken, 2 when something is, 1 when the check could not
be done.

\`\`\`bash
npx holdfast nbd check nbd://127.0.0.1:10809/disk.img
npx holdfast nbd check --rule N7,T4 --json nbd://127.0.0.1:10809/disk.img
\`\`\`

## What was found`;

/** @param {readonly Column[]} columns */
export function pageOf(columns) {
  const heading = ['Rule', 'What it demands', ...columns.map(({ name, version }) => `${name} ${version}`)];
  const rows = probes.map(({ rule, title }) => [
    rule,
    title,
    ...columns.map(({ verdicts }) => cellOf(verdicts.filter((verdict) => verdict.rule === rule))),
  ]);
  const table = [heading, heading.map(() => '---'), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
  return [intro, table, '## What is broken', ...columns.map(brokenOf)].join('\n\n') + '\n';
}

/** @param {readonly Verdict[]} verdicts of one rule */
function cellOf(verdicts) {
  /** @type {Map<string, string[]>} */
  const broken = new Map();
  for (const verdict of verdicts) {
    if (verdict.outcome !== 'broken') continue;
    broken.set(verdict.strength, [...(broken.get(verdict.strength) ?? []), verdict.mode ?? '']);
  }
  if (broken.size > 0) {
    return [...broken]
      .map(([strength, modes]) => `**${strength}**${modes.join('') === '' ? '' : ` (${modes.join(', ')})`}`)
      .join(', ');
  }
  if (verdicts.some(({ outcome }) => outcome === 'kept')) return 'kept';
  return verdicts.some(({ outcome }) => outcome === 'not tried') ? 'not tried' : '–';
}

/** @param {Column} column */
function brokenOf({ name, version, verdicts }) {
  const broken = verdicts.filter(({ outcome }) => outcome === 'broken');
  const title = `### ${name} ${version}`;
  if (broken.length === 0) return `${title}\n\nNothing.`;
  /** @type {Map<string, { readonly modes: Set<string>, readonly rule: string }>} */
  const sentences = new Map();
  for (const verdict of broken) {
    if (verdict.outcome !== 'broken') continue;
    for (const { strength, sent, expected, got, section } of verdict.evidence) {
      const text = `${strength}. Sent: ${sent}. Expected: ${expected}. Got: ${got}. (“${section}”)`;
      const entry = sentences.get(text) ?? { modes: new Set(), rule: verdict.rule };
      if (verdict.mode !== undefined) entry.modes.add(verdict.mode);
      sentences.set(text, entry);
    }
  }
  const rules = [...new Set(broken.map(({ rule }) => rule))];
  const parts = rules.map((rule) => {
    const lines = [...sentences]
      .filter(([, entry]) => entry.rule === rule)
      .map(([text, { modes }]) => `  - ${modes.size > 0 ? `${[...modes].join(', ')}: ` : ''}${text}`);
    return [`- **${rule}** ${remarks[`${name} ${rule}`] ?? ''}`.trimEnd(), ...lines].join('\n');
  });
  return `${title}\n\n${parts.join('\n')}`;
}
