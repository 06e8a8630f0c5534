/**
 * Writes the pages of docs/reference that say what the code says: contracts, errors, settings, commands, limits, and
 * differences from another server.
 *
 *   node tools/docs/generate.js            writes them
 *   node tools/docs/generate.js --check    compares them with what would be written: exit code 1 when one differs
 *
 * The code is read as it was built last, so build before (`npm run build`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { apiPage } from './pages/api.js';
import { cliPage } from './pages/cli.js';
import { differencesPage } from './pages/differences.js';
import { errorsPage } from './pages/errors.js';
import { limitsPage } from './pages/limits.js';
import { rulesPage } from './pages/rules.js';
import { settingsPage } from './pages/settings.js';
import { NotBuilt, reference, root } from './places.js';

/** @import { Page } from './types.js' */

/** @type {readonly Page[]} */
const pages = [apiPage, cliPage, differencesPage, errorsPage, limitsPage, rulesPage, settingsPage];

/** @param {Page} page */
async function textOf({ file, source, render }) {
  const notice = `<!-- Made from ${source} by tools/docs/generate.js: change it there, not here. -->`;
  const location = path.join(reference, file);
  const style = (await resolveConfig(location)) ?? {};
  return format(`${notice}\n\n${await render()}`, { ...style, parser: 'markdown' });
}

/** @param {string} file */
function present(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function main() {
  const checking = process.argv.includes('--check');
  for (const page of pages) {
    const location = path.join(reference, page.file);
    const name = path.relative(root, location);
    const text = await textOf(page);
    if (present(location) === text) continue;
    if (checking) {
      console.error(
        `${name} is out of date: build, then run \`node tools/docs/generate.js\` and commit the result.`,
      );
      process.exitCode = 1;
    } else {
      writeFileSync(location, text);
      console.log(`wrote ${name}`);
    }
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof NotBuilt)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
