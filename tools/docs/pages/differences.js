/** docs/reference/differences-from-qemu.md: what the differential test declares. */
import { blocks } from '../markdown.js';
import { built } from '../places.js';

/** @import { Page } from '../types.js' */
/** @import { DeclaredDifference } from '../../../apps/e2e/src/differential/declared-differences.js' */

const intro = `# Differences from qemu-nbd

\`qemu-nbd\` is the NBD server that most clients are tested with. A test of holdfast sends 10,000 random requests, valid and
invalid, to both, with simple replies, with structured replies (QEMU 7.2) and with extended headers (QEMU 10): all commands
and flags, misaligned, beyond the end, of length zero, huge, with payloads where none belongs. Errors, data and block
status are the same, and so are the images in the end, but for what is declared here. An undeclared difference fails the
test, and so does a declared one that is not met.

Not among them is a WRITE without \`NBD_CMD_FLAG_PAYLOAD_LEN\` with extended headers, since servers guess what follows it:
qemu-nbd always takes it for the payload, holdfast unless it is a request, as [NBD](nbd.md#clients-that-are-known-to-work)
tells.`;

const MODES = /** @type {Record<string, string>} */ ({
  simple: 'simple replies',
  structured: 'structured replies',
  extended: 'extended headers',
});

/** @param {DeclaredDifference} difference */
function section({ when, holdfast, qemu, reason, specification, modes }) {
  return blocks(
    `## ${when}`,
    [
      `- **holdfast**: ${holdfast}`,
      `- **qemu-nbd**: ${qemu}`,
      `- **Met with**: ${modes.map((mode) => MODES[mode] ?? mode).join(', ')}`,
    ].join('\n'),
    reason,
    `> ${specification}`,
  );
}

/** @type {Page} */
export const differencesPage = {
  file: 'differences-from-qemu.md',
  source: 'apps/e2e/src/differential/declared-differences.ts',
  render: async () => {
    const { declaredDifferences } = await built('apps/e2e/dist/differential/declared-differences.js');
    return blocks(intro, ...declaredDifferences.map(section));
  },
};
