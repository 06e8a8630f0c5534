/** docs/reference/errors.md: the error catalogue. */
import { blocks, table } from '../markdown.js';
import { built } from '../places.js';

/** @import { Page } from '../types.js' */

const intro = `# Errors

Every error that a user or a caller can meet has a stable code from this table. Codes are never renamed.

- **gRPC**: the call fails with the status in the table and one \`google.rpc.ErrorInfo\` in its details: \`reason\` is the
  code, \`domain\` is \`holdfast\`, \`metadata\` carries the facts (which device, which field, which setting).
- **Command line**: the sentence goes to standard error with the code in parentheses, or as JSON with \`--json\`; see
  [the command line](cli.md#what-is-printed). The exit code is 2 where the status is NOT_FOUND, else 1.
- **Logs**: a service that cannot start logs one line of level 60 with \`code\`.
- **NBD clients** see none of these codes, since the protocol has its own: see [NBD](nbd.md#errors).`;

/** @type {Page} */
export const errorsPage = {
  file: 'errors.md',
  source: 'libs/foundation/src/error-catalogue.ts',
  render: async () => {
    const { errorCatalogue } = await built('libs/foundation/dist/error-catalogue.js');
    const rows = Object.entries(errorCatalogue)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, { status, meaning, recovery }]) => [`\`${code}\``, `\`${status}\``, meaning, recovery]);
    return blocks(intro, table(['Code', 'gRPC status', 'What it means', 'What to do'], rows));
  },
};
