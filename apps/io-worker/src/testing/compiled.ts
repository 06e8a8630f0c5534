import { existsSync } from 'node:fs';
import type * as threadEngine from '../engine/thread-engine.js';

/** The thread engine as it is built: its threads run compiled code, so the build comes before these tests. */
export async function compiledThreadEngine(): Promise<typeof threadEngine> {
  const module = new URL('../../dist/engine/thread-engine.js', import.meta.url);
  if (!existsSync(module)) throw new Error(`${module.pathname} is missing: build before testing`);
  return (await import(module.href)) as typeof threadEngine;
}
