/** docs/reference/settings.md: the settings tables of all services. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { blocks, table } from '../markdown.js';
import { built, root } from '../places.js';

/** @import { Page } from '../types.js' */

/**
 * @typedef {object} Setting
 * @property {string} variable
 * @property {string | undefined} fallback
 * @property {string} description
 * @property {{ safeParse: (text: string) => { success: boolean, error?: { issues: { message: string }[] } } }} schema
 */

const intro = `# Settings

Services take their settings from environment variables, once, at start. A value that cannot be understood ends the
start with one sentence that names the variable and what it may be (\`INVALID_SETTING\`).

\`./tools/serve\` and \`holdfast serve\` pass their own environment on to the services, so a setting is given in front of
the command:

\`\`\`bash
HOLDFAST_LOG_LEVEL=debug HOLDFAST_WORKER_THREADS=16 ./tools/serve disk.img
\`\`\`

An option of \`serve\` wins over its variable: \`--listen\` over \`HOLDFAST_LISTEN\`, \`--socket\` over
\`HOLDFAST_NBD_SOCKET\`. Two variables it sets itself, whatever the environment says: \`HOLDFAST_STATE\`, from \`--state\`,
and \`HOLDFAST_SUPERVISED\`. They matter only to somebody who starts the services without \`serve\`.

How long a worker may take to stop before it is killed follows \`HOLDFAST_WORKER_DRAIN_MS\`: that, and a
[margin](limits.md#times).`;

const outro = `## Outside of the services

| Variable | Who reads it | What it does |
| --- | --- | --- |
| \`XDG_STATE_HOME\` | \`holdfast\`, all commands | The default state folder is \`holdfast\` in it; without it, \`~/.local/state/holdfast\`. A relative path is ignored, as the XDG specification demands. |
| \`TMPDIR\` | \`tools/setup\`, \`tools/bench\`, \`tools/soak\` | Where their temporary files go. |`;

/** @returns {Promise<{ heading: string, table: Record<string, Setting> }[]>} */
async function readTables() {
  const common = await built('libs/service/dist/settings/common.js');
  const database = await built('libs/service/dist/settings/database.js');
  const apps = readdirSync(path.join(root, 'apps')).filter((app) =>
    existsSync(path.join(root, 'apps', app, 'src/settings.ts')),
  );
  const own = await Promise.all(apps.map(async (app) => ({ app, table: await ownTable(app) })));
  const databaseUsers = own.filter(({ table }) => 'databaseUrl' in table).map(({ app }) => app);
  return [
    { heading: 'Every service', table: common.commonSettings },
    { heading: databaseUsers.join(' and '), table: database.databaseSettings },
    ...own.map(({ app, table }) => ({
      heading: app,
      table: Object.fromEntries(Object.entries(table).filter(([key]) => !(key in database.databaseSettings))),
    })),
  ].filter(({ table }) => Object.keys(table).length > 0);
}

/**
 * The table that an app's settings module exports.
 *
 * @param {string} app
 * @returns {Promise<Record<string, Setting>>}
 */
async function ownTable(app) {
  const exported = Object.values(await built(`apps/${app}/dist/settings.js`));
  if (exported.length !== 1) throw new Error(`apps/${app}/src/settings.ts must export one table`);
  return exported[0];
}

/**
 * What a setting may be, in the words of its own refusal.
 *
 * @param {Setting} setting
 */
function accepts({ schema }) {
  const { success, error } = schema.safeParse('99999999999999');
  if (success) return 'any text';
  const words = (error?.issues ?? []).map(({ message }) => message).join('; ');
  return words
    .replace(/^must be(gin)? /, (_all, begin) => (begin === undefined ? '' : 'begins '))
    .replace(/^Invalid option: expected one of /, 'one of ');
}

/** @param {Setting} setting */
function row(setting) {
  const { variable, fallback, description } = setting;
  const shown = fallback === undefined ? '(must be set)' : fallback === '' ? '(empty)' : `\`${fallback}\``;
  return [`\`${variable}\``, shown, accepts(setting), description];
}

/** @type {Page} */
export const settingsPage = {
  file: 'settings.md',
  source: 'apps/*/src/settings.ts and libs/service/src/settings',
  render: async () => {
    const sections = (await readTables()).map(({ heading, table: settings }) =>
      blocks(
        `## ${heading}`,
        table(['Variable', 'Default', 'May be', 'What it does'], Object.values(settings).map(row)),
      ),
    );
    return blocks(intro, ...sections, outro);
  },
};
