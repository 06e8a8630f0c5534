#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/bundle/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('holdfast is not built yet: run ./tools/setup\n');
  process.exit(1);
}
await import(main.href);
