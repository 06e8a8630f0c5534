import { expect, test } from 'vitest';
import type { ConnectOptions } from '../connect.js';
import type { NbdConnection } from '../nbd-connection.js';
import { Owned } from '../ownership/owned.js';
import { connectToMemory, connectToScript } from '../testing/connected.js';
import type { MemoryExport } from '../testing/memory-export.js';
import type { ArrivedRequest } from '../testing/peer.js';
import { errorChunk } from '../testing/wire.js';
import type { ExtentList } from './extent-list.js';

const SIZE = 1 << 20;
const BOTH = ['base:allocation', 'x-test:other'];

function served(mode: MemoryExport['mode'], more: Partial<MemoryExport> = {}) {
  const requests: ArrivedRequest[] = [];
  const memory: MemoryExport = {
    mode,
    image: Buffer.alloc(SIZE),
    sizeBytes: SIZE,
    contexts: { 'base:allocation': 5, 'x-test:other': 6 },
    extentsOf: (context, _offset, length) => [[length, context === 'base:allocation' ? 3n : 1n]],
    onRequest: (request) => {
      requests.push(request);
    },
    ...more,
  };
  return { memory, requests };
}

/** Two callbacks that count, and what they were told. */
function callbacks() {
  const told: unknown[] = [];
  const counts = { extents: 0, completion: 0 };
  let resolve = (): void => undefined;
  const done = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  const extents = {
    extents: (context: string, ...rest: unknown[]) => {
      told.push([context, ...rest]);
    },
    release: () => {
      counts.extents += 1;
    },
  };
  const completion = {
    completed: (error: Error | undefined) => {
      told.push(error ?? 'well');
    },
    release: () => {
      counts.completion += 1;
      resolve();
    },
  };
  return { told, counts, done, extents: new Owned(extents), completion: new Owned(completion) };
}

test.each(['structured', 'extended'] as const)(
  'T11 %s: all selected contexts are asked at once',
  async (mode) => {
    const { memory, requests } = served(mode);
    const connection = await connectToMemory(memory, { metaContexts: BOTH });
    const answers = await connection.blockStatus(512, 1024);
    expect(answers.map(({ context, extents }) => [context, ...extents])).toEqual([
      ['base:allocation', { offset: 512n, length: 1024n, flags: 3n }],
      ['x-test:other', { offset: 512n, length: 1024n, flags: 1n }],
    ]);
    await connection.blockStatus(0, 512, { reqOne: true });
    expect(requests.map(({ flags, length }) => [flags, length])).toEqual([
      [0, 1024n],
      [8, 512n],
    ]);
  },
);

test('T12 a server that offers it is told which contexts to answer; the payload carries the length of the range', async () => {
  const { memory, requests } = served('extended');
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  const [answer, ...others] = await connection.blockStatus(512, 1024, {
    contexts: ['x-test:other'],
    reqOne: true,
  });
  expect(others).toEqual([]);
  expect(answer?.context).toBe('x-test:other');
  expect(requests).toMatchObject([{ flags: 32 | 8, offset: 512n, length: 12n }]);
  expect(requests[0]?.payload.toString('hex')).toBe('000000000000040000000006');
  // All of them are asked for without a payload.
  await connection.blockStatus(512, 1024, { contexts: ['x-test:other', 'base:allocation'] });
  expect(requests[1]).toMatchObject({ flags: 0, length: 1024n });
});

test.each([
  ['structured', 0x1ded],
  ['extended', 0x0ded],
] as const)('%s: where the server does not offer it, the others are left out here', async (mode, flags) => {
  const { memory, requests } = served(mode, { flags });
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  const answers = await connection.blockStatus(512, 1024, { contexts: ['x-test:other'] });
  expect(answers.map(({ context }) => context)).toEqual(['x-test:other']);
  expect(requests).toMatchObject([{ flags: 0, length: 1024n }]);
});

test('contexts that were not selected are refused before anything is sent', async () => {
  const { memory, requests } = served('extended');
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  for (const contexts of [['x-test:none'], [], ['x-test:other', 'x-test:other']]) {
    await expect(connection.blockStatus(0, 512, { contexts })).rejects.toMatchObject({
      fault: 'unknown-context',
    });
  }
  expect(requests).toEqual([]);
});

test('B4 with extended headers the call of 32 bits is refused, before anything is sent', async () => {
  const { memory, requests } = served('extended');
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  await expect(connection.blockStatus32(0, 512)).rejects.toMatchObject({ fault: 'needs-64-bits' });
  expect(requests).toEqual([]);
});

test('B3 the call of 32 bits: as it is on a narrow wire, shortened on a wide one that is not strict, or EOVERFLOW', async () => {
  const narrow = await connectToMemory(served('structured').memory, { metaContexts: BOTH });
  expect(await narrow.blockStatus32(0, 512)).toEqual([
    { context: 'base:allocation', entries: Uint32Array.of(512, 3) },
    { context: 'x-test:other', entries: Uint32Array.of(512, 1) },
  ]);
  const wideOptions = { metaContexts: ['base:allocation'], strict: false };
  const long = await connectToMemory(
    served('extended', { extentsOf: () => [[1n << 40n, 3n]] }).memory,
    wideOptions,
  );
  expect(await long.blockStatus32(0, 512)).toEqual([
    { context: 'base:allocation', entries: Uint32Array.of(0xfc00_0000, 3) },
  ]);
  const flags = await connectToMemory(
    served('extended', { extentsOf: () => [[512n, 1n << 32n]] }).memory,
    wideOptions,
  );
  await expect(flags.blockStatus32(0, 512)).rejects.toMatchObject({
    code: 'NBD_ANSWER_TOO_WIDE',
    errorName: 'EOVERFLOW',
  });
  // Never a crash: the connection lives on.
  expect(await flags.blockStatus(0, 512)).toHaveLength(1);
});

test('B7 success takes both callbacks: extents, then completion, then each is released once', async () => {
  const { memory } = served('structured');
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  const wide = callbacks();
  connection.blockStatusWith(0, 512, wide.extents, wide.completion);
  expect([wide.extents.isHeld, wide.completion.isHeld]).toEqual([false, false]);
  expect(wide.told).toEqual([]);
  await wide.done;
  expect(wide.told.map((one) => (Array.isArray(one) ? [one[0], ...(one[1] as ExtentList)] : one))).toEqual([
    ['base:allocation', { offset: 0n, length: 512n, flags: 3n }],
    ['x-test:other', { offset: 0n, length: 512n, flags: 1n }],
    'well',
  ]);
  const narrow = callbacks();
  connection.blockStatus32With(0, 512, narrow.extents, narrow.completion, { contexts: ['base:allocation'] });
  await narrow.done;
  expect(narrow.told).toEqual([['base:allocation', 0n, Uint32Array.of(512, 3)], 'well']);
  // The owners' own clean-up has nothing left to do.
  for (const { extents, completion, counts } of [wide, narrow]) {
    extents.release();
    completion.release();
    expect(counts).toEqual({ extents: 1, completion: 1 });
  }
});

type Call = 'blockStatusWith' | 'blockStatus32With';
interface Failure {
  readonly what: string;
  readonly mode: MemoryExport['mode'];
  readonly options?: ConnectOptions;
  readonly call?: Call;
  readonly offset?: number | bigint;
  readonly length?: number | bigint;
  readonly contexts?: readonly string[];
  readonly more?: Partial<MemoryExport>;
  readonly before?: (connection: NbdConnection) => Promise<void>;
  readonly error: Record<string, string>;
}

/** Every check that stands between the call and the wire, each made to fail. */
const failures: readonly Failure[] = [
  { what: 'an offset that is none', mode: 'structured', offset: -1, error: { fault: 'not-a-number' } },
  { what: 'a length that is none', mode: 'structured', length: 0.5, error: { fault: 'not-a-number' } },
  { what: 'a length of 0', mode: 'structured', length: 0, error: { fault: 'zero-length' } },
  { what: 'a range beyond the export', mode: 'structured', offset: SIZE, error: { fault: 'out-of-range' } },
  {
    what: 'a range that is not aligned',
    mode: 'structured',
    offset: 1,
    more: { blockSize: [512, 4096, 1 << 20] },
    error: { fault: 'misaligned' },
  },
  { what: 'simple replies', mode: 'simple', error: { fault: 'not-negotiated' } },
  {
    what: 'no context',
    mode: 'structured',
    options: { metaContexts: [] },
    error: { fault: 'not-negotiated' },
  },
  {
    what: 'a context that was not selected',
    mode: 'extended',
    contexts: ['x-test:none'],
    error: { fault: 'unknown-context' },
  },
  { what: 'no context to answer', mode: 'extended', contexts: [], error: { fault: 'unknown-context' } },
  {
    what: 'a context twice',
    mode: 'extended',
    contexts: ['x-test:other', 'x-test:other'],
    error: { fault: 'unknown-context' },
  },
  {
    what: 'more than 32 bits on a narrow wire',
    mode: 'structured',
    length: 1n << 32n,
    options: { strict: false },
    error: { fault: 'too-long' },
  },
  {
    what: '32 bits on a wide wire',
    mode: 'extended',
    call: 'blockStatus32With',
    error: { fault: 'needs-64-bits' },
  },
  {
    what: 'a connection that was closed',
    mode: 'structured',
    before: (connection) => connection.disconnect(),
    error: { code: 'NBD_CONNECTION_CLOSED' },
  },
];
const calls: readonly Call[] = ['blockStatusWith', 'blockStatus32With'];
for (const failure of failures) {
  // With extended headers the call of 32 bits fails by B4 before all else.
  const possible = failure.mode === 'extended' ? calls.slice(0, 1) : calls;
  for (const call of failure.call === undefined ? possible : [failure.call]) {
    test(`B7 ${call} that fails by ${failure.what} leaves both callbacks as they were, and sends nothing`, async () => {
      const { memory, requests } = served(failure.mode, failure.more);
      const connection = await connectToMemory(memory, { metaContexts: BOTH, ...failure.options });
      await failure.before?.(connection);
      const sent = requests.length;
      const { extents, completion, counts, told } = callbacks();
      const options = failure.contexts === undefined ? {} : { contexts: failure.contexts };
      let thrown: unknown;
      try {
        connection[call](failure.offset ?? 0, failure.length ?? 512, extents, completion, options);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject(failure.error);
      expect([extents.isHeld, completion.isHeld]).toEqual([true, true]);
      expect(counts).toEqual({ extents: 0, completion: 0 });
      extents.release();
      completion.release();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(counts).toEqual({ extents: 1, completion: 1 });
      expect(told).toEqual([]);
      expect(requests).toHaveLength(sent);
    });
  }
}

test('B7 a callback that was taken already is refused, and the other one is left as it was', async () => {
  const { memory, requests } = served('structured');
  const connection = await connectToMemory(memory, { metaContexts: BOTH });
  for (const spent of ['extents', 'completion'] as const) {
    const { extents, completion, counts } = callbacks();
    const other = spent === 'extents' ? completion : extents;
    (spent === 'extents' ? extents : completion).take();
    expect(() => {
      connection.blockStatusWith(0, 512, extents, completion);
    }).toThrow('callbacks are given to one request only');
    expect(other.isHeld).toBe(true);
    expect(counts).toEqual({ extents: 0, completion: 0 });
  }
  expect(requests).toEqual([]);
});

test('B7 after the transfer each is released once, however the request ends', async () => {
  const options = { metaContexts: BOTH };
  const ends: readonly (readonly [string, (connection: NbdConnection) => void, Record<string, string>])[] = [
    ['an error of the server', () => undefined, { errorName: 'EINVAL' }],
    [
      'a connection that is destroyed',
      (connection) => {
        connection.destroy();
      },
      { code: 'NBD_CONNECTION_CLOSED' },
    ],
  ];
  for (const [what, end, error] of ends) {
    const connection = await connectToScript(
      served('structured').memory,
      async (peer) => {
        const { cookie, offset } = await peer.readRequest();
        peer.write(errorChunk({ extended: false, cookie, offset }, 22));
        await peer.closed();
      },
      options,
    );
    const { extents, completion, counts, told, done } = callbacks();
    connection.blockStatusWith(0, 512, extents, completion);
    end(connection);
    await done;
    expect(told, what).toMatchObject([error]);
    expect(counts).toEqual({ extents: 1, completion: 1 });
    connection.destroy();
    extents.release();
    completion.release();
    expect(counts).toEqual({ extents: 1, completion: 1 });
  }
});

test('B7 an extent callback that throws fails its request, and EOVERFLOW does so in 32 bits', async () => {
  const { memory } = served('extended', { extentsOf: () => [[512n, 1n << 40n]] });
  const connection = await connectToMemory(memory, { metaContexts: ['base:allocation'], strict: false });
  const narrow = callbacks();
  connection.blockStatus32With(0, 512, narrow.extents, narrow.completion);
  await narrow.done;
  expect(narrow.told).toMatchObject([{ errorName: 'EOVERFLOW' }]);
  expect(narrow.counts).toEqual({ extents: 1, completion: 1 });

  const throwing = callbacks();
  const extents = new Owned({
    extents: () => {
      throw new Error('no');
    },
    release: () => {
      throwing.counts.extents += 1;
    },
  });
  connection.blockStatusWith(0, 512, extents, throwing.completion);
  await throwing.done;
  expect(throwing.told).toMatchObject([{ message: 'no' }]);
  expect(throwing.counts).toEqual({ extents: 1, completion: 1 });
});
