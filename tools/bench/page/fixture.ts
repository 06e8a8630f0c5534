import { loads } from '../loads.js';
import { summarise } from '../rounds.js';
import { usualServers } from '../servers/all.js';
import type { Load, Measurement, Results, Row, Transport } from '../types.js';

/** Results as a run would write them, with every load over both transports and figures made up. */
export function madeUpResults(): Results {
  const names = usualServers.map(({ name }) => name);
  return {
    format: 1,
    takenAt: '2026-01-01T00:00:00.000Z',
    subject: 'holdfast',
    machine: {
      processor: 'A <fast> & "small" one',
      cores: 2,
      memoryBytes: 2 ** 34,
      kernel: '6.1',
      node: 'v20',
      fileSystems: { disk: 'ext2/ext3', tmpfs: 'tmpfs' },
    },
    plan: { rounds: 3, seconds: 1, sizeBytes: 2 ** 30 },
    servers: names.map((name) => ({ name, version: '1.0', settings: { plain: `${name} --as-usual` } })),
    rows: loads.flatMap((load) => (['unix', 'tcp'] as const).map((transport) => row(load, transport, names))),
    memory: names.map((server, i) => ({
      server,
      connections: 1000,
      rssBytes: (i + 2) << 24,
      pssBytes: (i + 1) << 24,
      processes: 1,
      threads: 4,
    })),
    warnings: ['The machine was busy.'],
    failures: [],
  };
}

function row(load: Load, transport: Transport, names: readonly string[]): Row {
  const rounds = [1, 2, 3].map((number) =>
    Object.fromEntries(names.map((name, i) => [name, measurement(load, 4 - i + number / 10)])),
  );
  return { load, transport, rounds, ...summarise('holdfast', rounds) };
}

function measurement(load: Load, speed: number): Measurement {
  const latencies = { latencyUsP50: 100 / speed, latencyUsP99: 300 / speed, latencyUsP999: 2000 / speed };
  return {
    value: 10_000 * speed,
    requests: 10_000,
    seconds: 1,
    serverCpuUs: 10 / speed,
    clientCpuUs: 2,
    ...(load.tool === 'nbdcopy' ? {} : latencies),
  };
}
