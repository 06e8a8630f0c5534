/**
 * Bundles the program in whose folder it is run, into `dist/bundle`: part of its build.
 *   node ../../tools/bundle/main.js FILE…
 */
import { bundle } from './bundle.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node ../../tools/bundle/main.js FILE…');
  process.exit(64);
}
await bundle(files, 'dist/bundle');
