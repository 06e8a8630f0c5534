import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Unit tests run on the sources of every room, so that coverage speaks of them and no build can be stale. */
const libs = path.resolve(import.meta.dirname, 'libs');

export default defineConfig({
  resolve: {
    alias: readdirSync(libs).flatMap((lib) => [
      // What the tests of other rooms use of this one's.
      {
        find: new RegExp(`^@holdfast/${lib}/testing/(.+)$`),
        replacement: path.join(libs, lib, 'src/testing/$1.ts'),
      },
      { find: `@holdfast/${lib}`, replacement: path.join(libs, lib, 'src/index.ts') },
    ]),
  },
  test: {
    include: ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    exclude: ['apps/e2e/**', '**/node_modules/**', '**/dist/**'],
    // Every file starts threads and processes that wait for each other: one more than vitest would have on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['libs/*/src/**', 'apps/*/src/**'],
      exclude: ['**/generated/**', '**/*.test.ts', 'apps/e2e/**'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
