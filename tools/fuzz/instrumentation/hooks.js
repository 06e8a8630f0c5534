/** Module hooks of Node.js: what is loaded from the rooms under test is instrumented on its way. */
import { fileURLToPath } from 'node:url';
import { instrument } from './instrument.js';

/** The machines, without what tests share: a fuzzer that is guided by its own helpers goes astray. */
const underTest = /\/libs\/(?:nbd-protocol|nbd-client)\/dist\/(?!testing\/)/;

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.startsWith('file:') || !underTest.test(fileURLToPath(url))) return loaded;
  return { ...loaded, source: instrument(String(loaded.source), url) };
}
