import { defineConfig } from 'vitest/config';

/** End-to-end tests run against what was built: `npx vitest run --root . --config apps/e2e/vitest.config.ts`. */
export default defineConfig({
  test: {
    include: ['apps/e2e/src/**/*.e2e.ts'],
    globalSetup: ['tools/bundle/require-fresh.js'],
    setupFiles: ['apps/e2e/src/support/cleanup.setup.ts'],
    // Every file starts processes that want the machine's cores; while those of one wait, those of the other work.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
