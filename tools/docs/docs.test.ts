import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorCatalogue } from '@holdfast/foundation';
import { faultKinds, parseProgram, printProgram, rules, verify } from '@holdfast/lifetime';
import { describe, expect, it } from 'vitest';
import { brokenLinks, missingPaths, wrongCommands } from './claims.js';
import { treeOf } from './cli-tree.js';
import { reference, root } from './places.js';
import { parseMarkdown, readMarkdownFiles } from './read-markdown.js';
import type { CliCommand } from './types.js';

const run = promisify(execFile);

/** Starting the command line a dozen times takes a while on a busy machine. */
const PROCESSES_MS = 120_000;

const page = (name: string) => readFileSync(path.join(reference, name), 'utf8');
const source = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** The files of a folder and its subfolders, from the root of the repository. */
function filesOf(folder: string, ending: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => path.join(folder, name));
}

describe('the reference', () => {
  it(
    'is what the generator makes of the code',
    async () => {
      const outcome = await run(process.execPath, [
        path.join(root, 'tools/docs/generate.js'),
        '--check',
      ]).then(
        () => 'up to date',
        (error: unknown) => (error as { stderr: string }).stderr,
      );
      expect(outcome).toBe('up to date');
    },
    PROCESSES_MS,
  );

  // Each read from the sources by other means than the generator's.
  it('lists every error code', () => {
    const listed = page('errors.md');
    expect(Object.keys(errorCatalogue).filter((code) => !listed.includes(`| \`${code}\``))).toEqual([]);
  });

  it('lists every setting', () => {
    const places = [
      ...filesOf('libs/service/src/settings', '.ts'),
      ...readdirSync(path.join(root, 'apps')).flatMap((app) => filesOf(`apps/${app}/src`, 'settings.ts')),
    ];
    const tables = places.filter((file) => !file.endsWith('.test.ts'));
    const variables = tables.flatMap((file) =>
      [...source(file).matchAll(/setting\(\s*'([A-Z_]+)'/g)].map(([, variable = '']) => variable),
    );
    const listed = page('settings.md');
    expect(variables.length).toBeGreaterThan(5);
    expect(variables.filter((variable) => !listed.includes(`| \`${variable}\``))).toEqual([]);
  });

  it('lists every RPC and every message', () => {
    const contracts = filesOf('proto/holdfast', '.proto').map(source);
    const names = (expression: RegExp) =>
      contracts.flatMap((text) => [...text.matchAll(expression)].map(([, name = '']) => name));
    const listed = page('api.md');
    const rpcs = names(/^ {2}rpc (\w+)/gm);
    expect(rpcs.length).toBeGreaterThan(10);
    expect(rpcs.filter((name) => !listed.includes(`| \`${name}\``))).toEqual([]);
    expect(
      names(/^message (\w+)/gm).filter((name) => !new RegExp(`^#### .*\\.${name}$`, 'm').test(listed)),
    ).toEqual([]);
  });

  it('lists every limit of the wire', () => {
    const limits = [...source('libs/nbd-protocol/src/limits.ts').matchAll(/^export const (\w+)/gm)];
    const listed = page('limits.md');
    expect(limits.map(([, name = '']) => name).filter((name) => !listed.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the page on NBD', () => {
  it.each([
    ['options', 'NBD_OPT_'],
    ['option-replies', 'NBD_REP_'],
    ['info-types', 'NBD_INFO_'],
    ['transmission-flags', 'NBD_FLAG_'],
    ['commands', 'NBD_CMD_'],
    ['command-flags', 'NBD_CMD_FLAG_'],
    ['chunk-types', 'NBD_REPLY_TYPE_'],
    ['allocation-states', 'NBD_STATE_'],
    ['errors', ''],
  ])('has a word on each of the %s', (file, prefix) => {
    const constants = source(`libs/nbd-protocol/src/constants/${file}.ts`).matchAll(/^ {2}([A-Z_]+): /gm);
    const names = [...constants].map(([, name = '']) => `${prefix}${name}`);
    const listed = page('nbd.md');
    expect(names.length).toBeGreaterThan(1);
    expect(names.filter((name) => !listed.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the page on programs', () => {
  const environment = {
    allocators: new Map(['pool', 'reserve'].map((name) => [name, { type: 'chunk' }])),
    maps: new Map(
      ['volume', 'source', 'destination'].map((name) => [
        name,
        { entries: 1024, fields: new Map(['chunk', 'spare'].map((field) => [field, { type: 'chunk' }])) },
      ]),
    ),
  };
  const { blocks } = parseMarkdown('docs/reference/programs.md', page('programs.md'));
  const programs = blocks.filter(({ language }) => language === 'program').map(({ text }) => `${text}\n`);

  it('has examples that are accepted', () => {
    expect(programs.length).toBeGreaterThan(2);
    const verdicts = programs.map((text) => verify(parseProgram(text).program, environment).verdict);
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
  });

  it('has examples in the canonical form', () => {
    for (const text of programs) {
      expect(printProgram(parseProgram(text).program)).toBe(text.replaceAll(/^#.*\n/gm, ''));
    }
  });

  it.each([
    ['rules of the verifier', rules],
    ['faults of a run', faultKinds],
  ])('has a word on each of the %s', (_what, table) => {
    const listed = page('programs.md');
    expect(Object.keys(table).filter((name) => !listed.includes(`| \`${name}\``))).toEqual([]);
  });
});

describe('every page', () => {
  const files = readMarkdownFiles();
  // The page of the command line is proven above.
  const helps = files.find(({ name }) => name === 'docs/reference/cli.md')?.blocks ?? [];
  const tree = treeOf(helps.map(({ text }) => text));

  it.each(files)('$name has no link that leads nowhere', (file) => {
    expect(brokenLinks(file, files)).toEqual([]);
  });

  it.each(files)('$name names no path that is not there', (file) => {
    expect(missingPaths(file)).toEqual([]);
  });

  it.each(files)('$name shows no command that does not exist', (file) => {
    expect(wrongCommands(file, tree)).toEqual([]);
  });

  it('is reached from the index of its folder', () => {
    const index = files.find(({ name }) => name === 'docs/README.md');
    const linked = new Set(index?.links.map((link) => path.join('docs', link)));
    const pages = files.map(({ name }) => name).filter((name) => name.startsWith('docs/'));
    expect(pages.filter((name) => name !== 'docs/README.md' && !linked.has(name))).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const tree: CliCommand = {
    words: [],
    options: ['--help'],
    subcommands: [
      { words: ['serve'], options: ['--listen'], subcommands: [] },
      {
        words: ['device'],
        options: [],
        subcommands: [{ words: ['device', 'attach'], options: ['--json'], subcommands: [] }],
      },
    ],
  };
  const shell = (line: string) => parseMarkdown('docs/x.md', `\`\`\`bash\n${line}\n\`\`\``);

  it.each([
    'npx holdfast device attach vm1 --json',
    'npx holdfast --help',
    'if npx holdfast device attach vm1; then echo --done; fi',
    './tools/serve --listen \\\n  127.0.0.1:0 disk.img &',
    'echo "$(npx holdfast device attach vm1 --json | grep --quiet x)"',
    'ps -C "holdfast io-worker"',
  ])('take %s', (line) => {
    expect(wrongCommands(shell(line), tree)).toEqual([]);
  });

  it.each([
    'npx holdfast device destroy vm1',
    'npx holdfast devise',
    'npx holdfast device attach vm1 --wait',
    './tools/serve --port 1',
    'true && npx holdfast device attach --wait',
  ])('refuse %s', (line) => {
    expect(wrongCommands(shell(line), tree)).toHaveLength(1);
  });

  it('find links to files and headings that are not there', () => {
    const file = parseMarkdown(
      'README.md',
      '# A `b` & C\n\n[a](#a-b--c) [b](#b) [c](nowhere.md) [d](https://nowhere)\n',
    );
    expect(brokenLinks(file, [file])).toEqual(['#b', 'nowhere.md']);
  });

  it('find paths that are not there', () => {
    const file = parseMarkdown(
      'x.md',
      '`libs/*/src/index.ts` `tools/{docs,bench}` `tools/{docs,no}` `libs/no.ts,` `libs/<x>`',
    );
    expect(missingPaths(file)).toEqual(['tools/{docs,no}', 'libs/no.ts']);
  });
});
