/**
 * Checks ours and the other NBD servers of this machine, and writes docs/reference/conformance.md.
 *
 *   node tools/conformance/compare.js
 *
 * The servers are those of tools/bench; they have to be installed, and the code has to be built.
 */
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { check, probes } from '../../libs/nbd-conformance/dist/index.js';
import { stopDaemon } from '../bench/processes.js';
import { usualServers } from '../bench/servers/all.js';
import { exportName } from '../bench/servers/start.js';
import { pageOf } from './page.js';

/** @import { Server } from '../bench/types.js' */
/** @import { Verdict } from '../../libs/nbd-conformance/dist/index.js' */

/** More than the maximum payload of any of them. */
const IMAGE_BYTES = 40 * 1024 * 1024;
/** A check goes on behind a rule of which the server died, on a server that is started again. */
const STARTS_MAX = 5;
const ANSWER_MS = 3_000;

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * @param {Server} server
 * @param {readonly string[]} rules
 */
async function checkOnce(server, rules) {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  const image = path.join(folder, exportName);
  writeFileSync(image, randomFillSync(Buffer.alloc(IMAGE_BYTES)));
  const running = await server.start({ image, folder, port: await freePort() });
  try {
    const { verdicts } = await check(running.uris.unix, { rules, write: true, answerMs: ANSWER_MS });
    return verdicts;
  } finally {
    await Promise.all(running.daemons.map(stopDaemon));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Verdict} verdict */
function wasGone(verdict) {
  return verdict.outcome === 'not tried' && verdict.reason.startsWith('the server takes no connections');
}

/** @param {Server} server */
async function verdictsOn(server) {
  /** @type {Map<string, Verdict>} */
  const verdicts = new Map();
  let rules = probes.map(({ rule }) => rule);
  for (let start = 0; start < STARTS_MAX && rules.length > 0; start++) {
    const found = await checkOnce(server, rules);
    for (const verdict of found) {
      const key = `${verdict.rule} ${verdict.mode}`;
      if (!verdicts.has(key) || !wasGone(verdict)) verdicts.set(key, verdict);
    }
    const fatal = new Set(found.filter(({ outcome }) => outcome === 'broken').map(({ rule }) => rule));
    rules = [...new Set(found.filter(wasGone).map(({ rule }) => rule))].filter((rule) => !fatal.has(rule));
  }
  return [...verdicts.values()];
}

/**
 * Ours has the version that it will be released as.
 *
 * @param {Server} server
 */
function versionOf(server) {
  if (server.name !== 'holdfast') return server.version();
  const manifest = readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8');
  return String(JSON.parse(manifest).version);
}

const columns = [];
for (const server of usualServers) {
  const missing = server.missing();
  if (missing !== undefined) {
    console.error(`${server.name} is left out: ${missing}`);
    continue;
  }
  console.error(`checking ${server.name} …`);
  columns.push({ name: server.name, version: versionOf(server), verdicts: await verdictsOn(server) });
}
const file = path.resolve(import.meta.dirname, '../../docs/reference/conformance.md');
const style = (await resolveConfig(file)) ?? {};
writeFileSync(file, await format(pageOf(columns), { ...style, parser: 'markdown' }));
console.error('wrote docs/reference/conformance.md');
