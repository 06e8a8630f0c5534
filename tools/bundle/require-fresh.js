/** Before the end-to-end tests: they run what is bundled, which `tsc -b` alone does not renew. */
import path from 'node:path';
import { changedSince } from './freshness.js';

const root = path.resolve(import.meta.dirname, '../..');
const programs = ['device-registry', 'io-worker', 'nbd-gateway', 'allocator-verifier', 'holdfast'];

/** Vitest's global setup. */
export function setup() {
  for (const program of programs) {
    const changed = changedSince(path.join(root, 'apps', program, 'dist/bundle'));
    if (changed === undefined) continue;
    throw new Error(
      `The bundle of ${program} is out of date (${path.relative(root, changed)}): build first, by npm run build`,
    );
  }
}
