/** Where something is acquired or released, as the ledger and the API name it. Numbers are those of the shared memory. */
export const Site = {
  'thread.preload': 0,
  'thread.preloaded': 1,
  'thread.read': 2,
  'thread.sent': 3,
  'thread.write': 4,
  'thread.written': 5,
  'thread.transfer': 6,
  'thread.transferred': 7,
  'thread.begin': 8,
  'thread.end': 9,
  'event-loop.preload': 10,
  'event-loop.preloaded': 11,
  'event-loop.read': 12,
  'event-loop.sent': 13,
  'event-loop.write': 14,
  'event-loop.written': 15,
  'event-loop.send': 16,
  'event-loop.begin': 17,
  'event-loop.end': 18,
  'device.zeroes': 19,
  'device.zeroed': 20,
  'session.end': 21,
  'device.bounce': 22,
  'device.bounced': 23,
  'thread.lend': 24,
} as const;
export type Site = (typeof Site)[keyof typeof Site];

/** Who releases what it has acquired; the layers below neither get nor put (E2). */
export const Layer = { engine: 0, device: 1 } as const;

/** The buffers of a session, by their numbers in its account. */
export const SessionBuffer = {
  /** Requests, and what WRITEs carry. */
  input: 0,
  /** Replies, and what READs carry. */
  output: 1,
  /** Of the kernel: a transfer goes from there to the socket. */
  'page-cache': 2,
  /** Of the thread: what WRITE_ZEROES writes. */
  zeroes: 3,
  /** What came with the socket. */
  preload: 4,
  /** Of the worker, aligned: what goes past the page cache and is not aligned where it is. */
  bounce: 5,
} as const;

const siteNames = Object.keys(Site);
const bufferNames = Object.keys(SessionBuffer);

export function siteName(site: number): string {
  return siteNames[site] ?? `site ${String(site)}`;
}

export function bufferName(buffer: number): string {
  return bufferNames[buffer] ?? `buffer ${String(buffer)}`;
}

/** The sites of one engine. */
export interface EngineSites {
  readonly begin: Site;
  readonly end: Site;
  readonly preload: Site;
  readonly preloaded: Site;
  readonly read: Site;
  readonly send: Site;
  readonly sent: Site;
  readonly write: Site;
  readonly written: Site;
  readonly transfer: Site;
  readonly transferred: Site;
  readonly lend: Site;
}

/** A send of a thread is over when the call returns: it has no request of its own. */
export const threadSites: EngineSites = {
  begin: Site['thread.begin'],
  end: Site['thread.end'],
  preload: Site['thread.preload'],
  preloaded: Site['thread.preloaded'],
  read: Site['thread.read'],
  send: Site['thread.sent'],
  sent: Site['thread.sent'],
  write: Site['thread.write'],
  written: Site['thread.written'],
  transfer: Site['thread.transfer'],
  transferred: Site['thread.transferred'],
  lend: Site['thread.lend'],
};

/** The event loop does no transfers, and lends nothing. */
export const eventLoopSites: EngineSites = {
  begin: Site['event-loop.begin'],
  end: Site['event-loop.end'],
  preload: Site['event-loop.preload'],
  preloaded: Site['event-loop.preloaded'],
  read: Site['event-loop.read'],
  send: Site['event-loop.send'],
  sent: Site['event-loop.sent'],
  write: Site['event-loop.write'],
  written: Site['event-loop.written'],
  transfer: Site['event-loop.read'],
  transferred: Site['event-loop.sent'],
  lend: Site['event-loop.read'],
};
