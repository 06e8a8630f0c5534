/** The words of the bench. The files are plain JavaScript; these types are what their comments refer to. */

export type Transport = 'tcp' | 'unix';

/** What a server is told: which image, where to listen, and a folder of its own for sockets and state. */
export interface Place {
  image: string;
  port: number;
  folder: string;
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

export interface Load {
  name: string;
  tool: 'loadgen' | 'fio' | 'nbdcopy';
  unit: 'IOPS' | 'MB/s';
  op: 'read' | 'write';
  pattern: 'random' | 'sequential';
  blockBytes: number;
  depth: number;
  connections: number;
  /** How READs are answered. fio and nbdcopy choose for themselves. */
  replies: 'simple' | 'structured';
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
}

/** One round: what each server reached. A server that failed is absent. */
export type Round = Record<string, Measurement>;

export interface Ratio {
  median: number;
  min: number;
  max: number;
  /** The peer with the highest median. */
  bestPeer: string;
}

export interface Summary {
  /** Medians over the rounds, by server. */
  medians: Record<string, { value: number; serverCpuUs: number; clientCpuUs: number }>;
  /** Absent unless the subject and a peer ran together in a round. */
  ratio?: Ratio;
}

/** One row of the report. */
export interface Row extends Summary {
  load: Load;
  transport: Transport;
  rounds: Round[];
}

export interface Options {
  rounds: number;
  seconds: number;
  loads: RegExp;
  servers: string[];
  transports: Transport[];
  users: boolean;
  replies: Load['replies'];
  sizeBytes: number;
  json: string | undefined;
}
