import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { Checker, type AuditRecord, type DependencyTable } from '@holdfast/lifetime';
import { createLogger } from '@holdfast/service';
import { openStore, type Store } from '@holdfast/store';
import { onTestFinished } from 'vitest';
import { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import { AllocatorService } from '../allocator/allocator.service.js';
import { ChunkPools } from '../chunk/chunk-pools.js';
import { MapFence } from '../fence/map-fence.js';
import { WorkerLink } from '../fence/worker-link.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { readMemory } from '../lifetimes/records.js';
import { MapService } from '../map/map.service.js';
import { ProgramRunner } from '../program/program-runner.js';
import { ProgramService } from '../program/program.service.js';
import { RegistryLink } from '../registry/registry-link.js';

/** Records of the trail that one query reads. */
const TRAIL_READ = 100_000;

/** The parts of the service on real records. Nobody listens where registry and worker would be: memory needs
 * none, nor do maps that nobody is served. */
export async function startVerifier(url: string) {
  const store = await openStore({ url });
  const logger = createLogger('test', 'silent');
  const pools = new ChunkPools(store.chunks);
  const lifetimes = new Lifetimes(store, pools);
  const folder = temporaryFolder();
  const registry = new RegistryLink(`unix:${path.join(folder, 'registry.sock')}`);
  const workerAddress = `unix:${path.join(folder, 'worker.sock')}`;
  const worker = new WorkerLink(workerAddress);
  const newFence = () => new MapFence(store, worker, logger);
  const fence = newFence();
  const allocators = new AllocatorService(store, registry, pools, lifetimes);
  const reconciler = new AllocatorReconciler(store, allocators, logger);
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await fence.stop();
    await reconciler.stop();
    registry.close();
    worker.close();
    await store.close();
  };
  onTestFinished(stop);
  await lifetimes.load();
  await reconciler.look();
  const maps = new MapService(store, pools, lifetimes, reconciler, fence, logger);
  const programs = new ProgramService(lifetimes);
  const runner = new ProgramRunner(store, pools, lifetimes, fence, logger);
  const { isEmpty } = lifetimes;
  return {
    store,
    pools,
    lifetimes,
    allocators,
    reconciler,
    maps,
    programs,
    runner,
    fence,
    /** As another process has one. */
    newFence,
    /** Where a worker may listen. */
    workerAddress,
    stop,
    createAllocator: (name: string, chunks = 1024) =>
      allocators.create({ name, offset: 0n, length: BigInt(chunks) * 4096n, chunkBytes: 4096 }),
    createMap: (name: string, ...fields: string[]) => maps.create({ name, entries: 8, fields }),
    /** Loads a program, which has to be accepted. */
    load: async (source: string) => {
      const verdict = await programs.load(source, false);
      if (verdict.kind !== 'loaded') throw new Error(JSON.stringify(verdict));
    },
    /** Why a program is rejected. */
    rejection: async (source: string): Promise<string> => {
      const verdict = await programs.load(source, false);
      if (verdict.kind === 'loaded') throw new Error('it is loaded');
      return verdict.kind === 'rejected-by-table' ? verdict.rejection.reason : verdict.rejection.rule;
    },
    run: (name: string, values: Readonly<Record<string, number>> = {}) => runner.run(name, values),
    unload: async (name: string) => {
      const destroyed = await programs.unload(name);
      await reconciler.look();
      return destroyed;
    },
    stateOf: async (name: string) => (await store.allocators.find(name))?.state,
    whyAlive: (name: string) => lifetimes.memory.table.whyAlive(name, isEmpty).words.join(' '),
    findings: () => findingsOf(store, lifetimes),
  };
}

export type Verifier = Awaited<ReturnType<typeof startVerifier>>;

/**
 * What an independent checker objects to, who replays the trail from its first record; and where memory, the records, and the
 * chunks that are allocated differ from each other.
 */
async function findingsOf(store: Store, lifetimes: Lifetimes): Promise<string[]> {
  const checker = new Checker();
  const trail = await store.verifierAudit.listAfter(0n, TRAIL_READ);
  const findings = trail
    .filter(({ kind }) => kind === 'table')
    .flatMap(({ detail }) => checker.replay(JSON.parse(String(detail['trail'])) as AuditRecord));
  const same = (one: unknown, other: unknown, what: string) => {
    if (JSON.stringify(one) !== JSON.stringify(other))
      findings.push(`${what}: ${JSON.stringify([one, other])}`);
  };
  const recorded = await readMemory(store);
  const { table, allocators, programs } = lifetimes.memory;
  same(table.chains(), checker.chains(), 'the table and the checker');
  same(table.chains(), recorded.table.chains(), 'the table and the records');
  same([...programs.keys()].sort(), [...recorded.programs.keys()].sort(), 'programs');
  same(statesOf(table), statesOf(recorded.table), 'allocators');
  const pools = new ChunkPools(store.chunks);
  for (const { name, number } of allocators.values()) {
    const record = await store.allocators.get(name);
    await pools.load(record);
    const { values } = await store.allocators.users(number);
    same(values, pools.find(number)?.allocated, `chunks of ${name} that maps hold, and that are allocated`);
  }
  return findings;
}

function statesOf(table: DependencyTable) {
  return table
    .records()
    .allocators.map(({ name, state }) => `${name} ${state}`)
    .sort();
}
