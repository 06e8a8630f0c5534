import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { bundle } from './bundle.js';
import { changedSince } from './freshness.js';

const run = promisify(execFile);

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bundle-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A checkout with these files, by their paths. */
function checkout(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

async function bundled(files: Record<string, string>, sources = ['app/dist/main.js']): Promise<string> {
  const folder = checkout(files);
  await bundle(
    sources.map((source) => path.join(folder, source)),
    path.join(folder, 'app/dist/bundle'),
  );
  return folder;
}

async function output(folder: string, ...options: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [...options, path.join(folder, 'app/dist/bundle/main.js')]);
  return stdout.trim();
}

test('a program is one file, and what it imports later is loaded later', async () => {
  const folder = await bundled({
    'app/dist/main.js': `import { one } from './lib/one.js'; console.log(one);
      if (process.argv[2]) console.log((await import('./lib/later.js')).later);`,
    'app/dist/lib/one.js': `export const one = 1;`,
    'app/dist/lib/later.js': `console.log('loaded'); export const later = 2;`,
  });
  expect(await output(folder)).toBe('1');
  expect(readdirSync(path.join(folder, 'app/dist/bundle')).filter((name) => name.endsWith('.js'))).toEqual([
    'later.js',
    'main.js',
  ]);
});

test('modules and packages find what is beside them, also where the checkout was moved to', async () => {
  const folder = await bundled({
    'app/dist/main.js': `import { own } from '../../lib/own.js'; import { theirs } from 'theirs';
      console.log(own, theirs);`,
    'lib/own.js': `import { readFileSync } from 'node:fs';
      export const own = readFileSync(new URL('./own.txt', import.meta.url), 'utf8');`,
    'lib/own.txt': 'ours',
    'node_modules/theirs/package.json': '{"main":"index.cjs"}',
    'node_modules/theirs/index.cjs': `exports.theirs =
      require('node:fs').readFileSync(__dirname + '/theirs.txt', 'utf8');`,
    'node_modules/theirs/theirs.txt': 'theirs',
  });
  expect(await output(folder)).toBe('ours theirs');

  const moved = path.join(temporaryFolder(), 'a #1 place');
  cpSync(folder, moved, { recursive: true });
  rmSync(folder, { recursive: true });
  expect(await output(moved)).toBe('ours theirs');
});

test('a thread runs from the bundle, with the modules that it shares', async () => {
  const folder = await bundled(
    {
      'app/dist/main.js': `import { Worker } from 'node:worker_threads';
        import { shared } from './shared.js';
        new Worker(new URL('./engine/thread.js', import.meta.url)).on('message', (it) => console.log(shared, it));`,
      'app/dist/engine/thread.js': `import { parentPort } from 'node:worker_threads';
        import { shared } from '../shared.js';
        parentPort.postMessage([shared, new Error().stack.includes('/bundle/thread.js')]);`,
      'app/dist/shared.js': `export const shared = 'shared';`,
    },
    ['app/dist/main.js', 'app/dist/engine/thread.js'],
  );
  expect(await output(folder)).toBe("shared [ 'shared', true ]");
});

test('classes of one name keep it', async () => {
  const folder = await bundled({
    'app/dist/main.js': `import { A as one } from './one.js'; import { A as two } from './two.js';
      console.log(one.name, two.name);`,
    'app/dist/one.js': `export class A {}`,
    'app/dist/two.js': `export class A {}`,
  });
  expect(await output(folder)).toBe('A A');
});

test('a trace names the source that was compiled', async () => {
  const map = { version: 3, sources: ['../src/main.ts'], names: [], mappings: 'AAIA' };
  const folder = await bundled({
    'app/dist/main.js': `console.log(new Error('here').stack);\n//# sourceMappingURL=main.js.map`,
    'app/dist/main.js.map': JSON.stringify(map),
  });
  expect(await output(folder, '--enable-source-maps')).toContain(`${folder}/app/src/main.ts:5:`);
});

test('a package that need not be installed is missed when it is asked for', async () => {
  const folder = await bundled({
    'app/dist/main.js': `import { tried } from 'theirs'; console.log(tried);`,
    'node_modules/theirs/package.json': '{"main":"index.cjs"}',
    'node_modules/theirs/index.cjs': `try { require('optional'); } catch (error) { exports.tried = error.code; }`,
  });
  expect(await output(folder)).toBe('MODULE_NOT_FOUND');
});

test('what our own code imports must be there', async () => {
  const building = bundled({ 'app/dist/main.js': `import 'missing';` });
  await expect(building).rejects.toThrow(/missing/);
});

test('what stays outside must be the same for the bundle as for who imports it', async () => {
  const building = bundled({
    'app/dist/main.js': `import '../../lib/own.js';`,
    'lib/own.js': `import koffi from 'koffi'; console.log(koffi);`,
    'lib/node_modules/koffi/index.js': `module.exports = 1;`,
  });
  await expect(building).rejects.toThrow(
    /koffi is .*\/lib\/node_modules\/koffi\/index.js for .*, but not there/,
  );
});

test('a bundle is out of date once one of our modules changed, or while it is missing', async () => {
  const folder = await bundled({
    'app/dist/main.js': `import { one } from './one.js'; console.log(one);`,
    'app/dist/one.js': `export const one = 1;`,
  });
  const made = path.join(folder, 'app/dist/bundle');
  expect(changedSince(made)).toBeUndefined();

  writeFileSync(path.join(folder, 'app/dist/one.js'), `export const one = 2;`);
  expect(changedSince(made)).toBe(path.join(folder, 'app/dist/one.js'));

  rmSync(made, { recursive: true });
  expect(changedSince(made)).toBe(made);
});
