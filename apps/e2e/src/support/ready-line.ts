/** How a client reaches an export. */
export type Transport = 'tcp' | 'unix';

export const transports: readonly Transport[] = ['tcp', 'unix'];

/** Where an export is to be found; not over TCP under `--listen none`. */
export type Uris = Readonly<Partial<Record<Transport, string>>>;

/** The exports that `serve` has announced, in plain or in JSON lines, by name. */
export function parseReadyLines(stdout: string): Map<string, Uris> {
  const complete = stdout.split('\n').slice(0, -1);
  const exports = new Map<string, Uris>();
  for (const line of complete) {
    const uris = urisOf(line);
    const [any] = uris;
    if (any !== undefined) exports.set(nameOf(any), byTransport(uris));
  }
  return exports;
}

function urisOf(line: string): string[] {
  if (line.startsWith('{')) return (JSON.parse(line) as { uris?: string[] }).uris ?? [];
  return line.startsWith('ready ') ? line.split(' ').slice(1) : [];
}

function byTransport(uris: readonly string[]): Uris {
  return Object.fromEntries(uris.map((uri) => [/^nbds?\+unix:/.test(uri) ? 'unix' : 'tcp', uri]));
}

function nameOf(uri: string): string {
  return decodeURIComponent(new URL(uri).pathname.slice(1));
}
