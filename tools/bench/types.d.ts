/** The words of the bench. The files are plain JavaScript; these types are what their comments refer to. */

export type Transport = 'tcp' | 'unix';

/** How a server opens its image and takes its clients. */
export type Mode = 'plain' | 'tls' | 'direct';

/** Under which circumstances a load runs; scenes.js says what each is. */
export type SceneName = 'warm' | 'tls' | 'tmpfs' | 'cold' | 'direct';

export interface Scene {
  name: SceneName;
  mode: Mode;
  storage: 'disk' | 'tmpfs';
  /** What is in the page cache when a measurement begins: all of the image, or none of it. */
  cache: 'warm' | 'cold';
  /** For clients that go through all of the image, slowly. */
  imageBytesMax?: number;
}

/** What a server is told: which image, where to listen, and a folder of its own for sockets and state. */
export interface Place {
  image: string;
  port: number;
  folder: string;
  mode: Mode;
  /** With `tls`: where the certificates are. */
  certificates?: Certificates;
  /** With `direct`: a block device over the image that reads and writes it past the page cache. */
  device?: string;
  /** With it, a server takes a thousand connections of one client. */
  manyClients?: boolean;
}

/** Folders as `holdfast tls init` makes them: `ca-cert.pem`, and `server-` or `client-` `cert.pem` and `key.pem`. */
export interface Certificates {
  server: string;
  client: string;
}

/** A server that answers, on both transports. */
export interface RunningServer {
  uris: Record<Transport, string>;
  /** How it is configured here, for the foot of the report. */
  settings: string;
  daemons: Daemon[];
}

/** One way to serve an image; each lives in a file of its own under servers/. */
export interface Server {
  name: string;
  modes: readonly Mode[];
  /** Why it cannot run on this machine; undefined when it can. */
  missing(): string | undefined;
  version(): string;
  start(place: Place): Promise<RunningServer>;
}

/** A process that we started and must end. */
export interface Daemon {
  name: string;
  pid: number;
  /** The first of what it said on stdout. */
  output(): string;
  /** The last of what it said on stderr. */
  complaint(): string;
  exited(): boolean;
}

export type Tool = 'loadgen' | 'fio' | 'nbdcopy';

export interface Load {
  name: string;
  scene: SceneName;
  tool: Tool;
  unit: 'IOPS' | 'MB/s';
  /** `mix`: 70 % reads, 30 % writes. */
  op: 'read' | 'write' | 'mix';
  pattern: 'random' | 'sequential';
  blockBytes: number;
  depth: number;
  connections: number;
  /** How READs are answered; `offered`: structured where the server has that. Only our generator lets us choose. */
  replies: 'simple' | 'structured' | 'offered';
}

/** One run of one load against one server. */
export interface Measurement {
  /** In the unit of the load; more is better. */
  value: number;
  requests: number;
  seconds: number;
  serverCpuUs: number;
  clientCpuUs: number;
  latencyUsP50?: number;
  latencyUsP99?: number;
  latencyUsP999?: number;
  /** Whether READs were answered by structured replies; absent where the client does not say. */
  structured?: boolean;
}

/** One round: what each server reached. A server that failed is absent. */
export type Round = Record<string, Measurement>;

/** The subject divided by the best peer of the same round. */
export interface Ratio {
  median: number;
  min: number;
  max: number;
  /** The peer with the best median. */
  bestPeer: string;
}

/** Medians over the rounds. Microseconds of CPU per request are also CPU seconds per million requests. */
export type Medians = Pick<
  Measurement,
  'value' | 'serverCpuUs' | 'clientCpuUs' | 'latencyUsP50' | 'latencyUsP99' | 'latencyUsP999'
>;

export interface Summary {
  /** By server. */
  medians: Record<string, Medians>;
  /** Of speed; the best peer is the fastest. Absent unless the subject and a peer ran together in a round. */
  ratio?: Ratio;
  /** Of the server's CPU for a request; the best peer is the cheapest. */
  cpuRatio?: Ratio;
}

/** One row of the report. */
export interface Row extends Summary {
  load: Load;
  transport: Transport;
  rounds: Round[];
}

/** What a server takes with a number of idle connections, all its processes together. */
export interface MemorySample {
  server: string;
  connections: number;
  /** Pages that processes share count in each. */
  rssBytes: number;
  /** Pages that processes share count once, in parts. */
  pssBytes: number;
  processes: number;
  threads: number;
}

export interface Machine {
  processor: string;
  cores: number;
  memoryBytes: number;
  kernel: string;
  node: string;
  /** Type of the file system that each kind of image lies on. */
  fileSystems: Record<Scene['storage'], string>;
}

export interface ServerFacts {
  name: string;
  version: string;
  /** How it was started, by mode. */
  settings: Partial<Record<Mode, string>>;
}

/** Everything that a run found out: what `--json` writes and `--from` reads. */
export interface Results {
  format: 1;
  takenAt: string;
  subject: string;
  machine: Machine;
  plan: { rounds: number; seconds: number; sizeBytes: number };
  servers: ServerFacts[];
  rows: Row[];
  memory: MemorySample[];
  warnings: string[];
  failures: string[];
}

/** A ratio to the best peer that holdfast is to reach. */
export interface Goal {
  name: string;
  of: 'speed' | 'cpu';
  /** By transport. Of speed at least this, of CPU at most. */
  limit: Record<Transport, number>;
  covers: (load: Load) => boolean;
}

export type Verdict = 'met' | 'missed' | 'within noise' | 'not measured';

export interface Options {
  rounds: number;
  seconds: number;
  loads: RegExp;
  servers: string[];
  transports: Transport[];
  /** What `--replies` said, for the loads that say nothing themselves. */
  replies: Load['replies'];
  sizeBytes: number;
  imageFolder: string;
  tmpfsFolder: string;
  memory: boolean;
  json: string | undefined;
  report: string | undefined;
  /** Results to report on, instead of measuring. */
  from: string[];
}
