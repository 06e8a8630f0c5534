/** docs/reference/limits.md: limits that are constants of the code, with the reason that stands beside each. */
import { readConstants } from '../constants.js';
import { blocks, table } from '../markdown.js';

/** @import { Constant, Page } from '../types.js' */

/**
 * @typedef {object} Section
 * @property {string} heading
 * @property {string} [intro]
 * @property {readonly string[]} [files] every constant of these files
 * @property {readonly (readonly [file: string, name: string, words?: string])[]} [constants] `words` in place of the
 * comment in the code
 */

/** @type {readonly Section[]} */
const sections = [
  {
    heading: 'The NBD protocol',
    intro: 'What a client sends is held against these before anything is allocated for it.',
    files: ['libs/nbd-protocol/src/limits.ts', 'apps/io-worker/src/engine/cache-limits.ts'],
  },
  {
    heading: 'Turns on the event loop',
    files: ['apps/io-worker/src/engine/turn.ts'],
  },
  {
    heading: 'Waiting of I/O threads',
    files: ['apps/io-worker/src/engine/spin.ts'],
  },
  {
    heading: 'Memory of sessions',
    intro: 'What the setting HOLDFAST_WORKER_MEMORY_MAX is divided into.',
    files: ['apps/io-worker/src/engine/buffer-sizes.ts'],
    constants: [
      ['apps/io-worker/src/memory/session-memory.ts', 'READ_AHEAD_BYTES'],
      ['apps/io-worker/src/memory/session-memory.ts', 'SOCKET_BYTES'],
      ['apps/io-worker/src/memory/session-memory.ts', 'WIDE_SOCKET_BYTES'],
    ],
  },
  {
    heading: 'Rate limits of exports',
    files: ['apps/io-worker/src/rate/limits.ts'],
    constants: [
      ['apps/nbd-gateway/src/export/rate-limit.ts', 'BYTES_PER_SECOND_MIN'],
      ['apps/nbd-gateway/src/export/rate-limit.ts', 'BURST_MS_DEFAULT'],
      ['apps/nbd-gateway/src/export/rate-limit.ts', 'BURST_MS_MIN'],
    ],
  },
  {
    heading: 'Exports of chunks',
    files: ['apps/io-worker/src/chunks/limits.ts'],
  },
  {
    heading: 'The NBD client',
    intro:
      'What a server sends is held against these, and against those above, before anything is allocated for it.',
    files: ['libs/nbd-client/src/limits.ts'],
  },
  {
    heading: 'Exports of other NBD servers',
    intro: 'What devices of kind `nbd` keep to.',
    files: ['apps/io-worker/src/remote/limits.ts'],
    constants: [
      [
        'apps/device-registry/src/device/nbd-message.ts',
        'URI_BYTES_MAX',
        'The URI: an export name of the longest kind with every byte as `%XX`, and as much again for a socket and the files of TLS.',
      ],
      [
        'apps/device-registry/src/device/nbd-message.ts',
        'RECONNECT_MS_DEFAULT',
        'How long requests wait for the server unless told: it is restarted within it, and machines are.',
      ],
      [
        'apps/device-registry/src/device/nbd-message.ts',
        'RECONNECT_MS_MAX',
        'Longest such time: who waits longer for an answer has gone.',
      ],
    ],
  },
  {
    heading: 'An upgrade of the worker',
    intro: 'What `holdfast worker upgrade` keeps to.',
    files: ['apps/io-worker/src/handover/limits.ts'],
  },
  {
    heading: 'The command line as a client',
    intro: 'What `holdfast nbd copy` and `holdfast nbd map` keep to.',
    files: ['apps/holdfast/src/nbd/copy/limits.ts'],
    constants: [['apps/holdfast/src/nbd/map/totals.ts', 'TYPES_MAX']],
  },
  {
    heading: 'The check of servers',
    intro: '`holdfast nbd check` holds what a server sends against these. The server may be hostile.',
    files: ['libs/nbd-conformance/src/limits.ts'],
  },
  {
    heading: 'The hook of libvirt',
    intro: 'Whoever may define domains writes what `holdfast hook libvirt` reads.',
    files: ['apps/holdfast/src/hook/libvirt/limits.ts'],
  },
  {
    heading: 'Allocators and maps',
    intro: 'What the allocator-verifier takes.',
    files: [
      'apps/allocator-verifier/src/chunk/limits.ts',
      'apps/allocator-verifier/src/allocator/limits.ts',
      'apps/allocator-verifier/src/map/limits.ts',
    ],
  },
  {
    heading: 'Pins',
    intro: 'What the [ledger](../explanation/pins.md) keeps and tells.',
    constants: [
      ['libs/pin-ledger/src/shard-layout.ts', 'REQUESTS_MAX'],
      ['libs/pin-ledger/src/shard-layout.ts', 'VIOLATIONS_KEPT'],
      ['libs/pin-ledger/src/pin-ledger.ts', 'VIOLATIONS_REMEMBERED'],
      ['apps/io-worker/src/engine/event-loop-engine.ts', 'IDLE_BUFFERS_MAX'],
      ['apps/io-worker/src/engine/lent-data.ts', 'MAPPED_BYTES_MAX'],
      ['apps/io-worker/src/ledger/ledger.controller.ts', 'QUIESCE_MS_MAX'],
      ['apps/io-worker/src/ledger/ledger.controller.ts', 'WATCH_MS_MIN'],
    ],
  },
  {
    heading: 'Programs',
    intro: 'What [programs](programs.md) and their runs are held to.',
    files: ['libs/lifetime/src/program/limits.ts'],
  },
  {
    heading: 'Allocators',
    intro: 'What the [dependency table](../explanation/allocators.md) takes.',
    constants: [['libs/lifetime/src/table/row.ts', 'ROWS_PER_PROGRAM_MAX']],
  },
  {
    heading: 'Names, paths and lists',
    constants: [
      ['libs/foundation/src/resource-id.ts', 'RESOURCE_ID_BYTES_MAX'],
      [
        'apps/nbd-gateway/src/export/client-rule.ts',
        'CLIENT_RULES_MAX',
        'Rules of one export about who may use it: a list to be read by people.',
      ],
      [
        'apps/nbd-gateway/src/export/client-rule.ts',
        'CLIENT_RULE_BYTES_MAX',
        'One such rule: the name in a certificate is a host name or an e-mail address, both shorter.',
      ],
      [
        'apps/device-registry/src/device/backing-message.ts',
        'PATH_BYTES_MAX',
        'Path of a device: PATH_MAX without its closing NUL.',
      ],
      [
        'apps/device-registry/src/device/backing-message.ts',
        'FACT_BYTES_MAX',
        'Expected name, UUID, WWN or serial number of a block device: no name of the kernel is longer.',
      ],
      ['apps/device-registry/src/lease/lease.controller.ts', 'CLIENT_GROUP_BYTES_MAX'],
      ['apps/device-registry/src/reservation/reservation.controller.ts', 'HOLDER_BYTES_MAX'],
      ['libs/store/src/request/request-repository.ts', 'REQUESTS_KEPT'],
      [
        'libs/contracts/src/state-layout.ts',
        'SOCKET_PATH_BYTES_MAX',
        'Path of each Unix socket in the state folder (unix(7)): a state folder with a longer path is refused.',
      ],
      [
        'libs/contracts/src/paging.ts',
        'PAGE_SIZE_DEFAULT',
        'Answers of a `List…` call when `page_size` is 0.',
      ],
      [
        'libs/contracts/src/paging.ts',
        'PAGE_SIZE_MAX',
        'Answers of a `List…` call at most: bounds the memory of one answer.',
      ],
    ],
  },
  {
    heading: 'Passing descriptors between services',
    files: ['libs/linux/src/handoff/limits.ts'],
    constants: [
      [
        'libs/service/src/handoff-inbox.ts',
        'UNCLAIMED_MAX',
        'Descriptors that have arrived before anybody asked for them.',
      ],
      [
        'libs/service/src/handoff-inbox.ts',
        'UNCLAIMED_MS',
        'How long such a descriptor is kept before it is closed.',
      ],
    ],
  },
  {
    heading: 'Times',
    intro:
      'None of these ends a lease or closes a device: that happens on proof only ([lifetimes](../explanation/lifetimes.md)).',
    constants: [
      [
        'apps/io-worker/src/session/session.service.ts',
        'SOCKET_WAIT_MS',
        'How long a prepared session waits for its socket before it is abandoned.',
      ],
      ['apps/io-worker/src/session/session.service.ts', 'HUNG_UP_GRACE_MS'],
      ['apps/io-worker/src/session/session.service.ts', 'STOP_GRACE_MS'],
      [
        'apps/device-registry/src/lease/lease.reconciler.ts',
        'UNUSED_AFTER_MS',
        'How often the registry asks the worker about leases that may have no session; a lease younger than this is left alone.',
      ],
      ['apps/device-registry/src/device/device.controller.ts', 'DRAIN_MS_MAX'],
      ['libs/store/src/request/request-repository.ts', 'REQUEST_KEPT_MS'],
      ['apps/device-registry/src/attachment/drain.ts', 'CUT_GRACE_MS'],
      ['apps/device-registry/src/attachment/size-watch.ts', 'SIZE_POLL_MS'],
      [
        'apps/nbd-gateway/src/connection/listeners.ts',
        'KEEPALIVE_IDLE_MS',
        'How long a TCP client may be silent before TCP keepalive asks whether it is still there.',
      ],
      ['apps/nbd-gateway/src/session/session-opener.ts', 'CONFLICT_WAIT_MS'],
      [
        'apps/nbd-gateway/src/connection/patience.ts',
        'REFUSAL_RESERVE_MS',
        'A client in the handshake waits for a registry or a worker that is being restarted, for all of `HOLDFAST_HANDSHAKE_MS` but this: then it is refused.',
      ],
      [
        'libs/contracts/src/rpc/client.ts',
        'DEADLINE_MS_DEFAULT',
        'Longest gRPC call of the command line and between services.',
      ],
      ['libs/contracts/src/stop-deadlines.ts', 'DRAIN_MS_DEFAULT'],
      ['libs/contracts/src/stop-deadlines.ts', 'STOP_MARGIN_MS'],
      ['libs/contracts/src/stop-deadlines.ts', 'KILL_MARGIN_MS'],
      ['libs/store/src/database/postgresql-lock.ts', 'PREDECESSOR_WAIT_MS'],
      [
        'libs/store/src/database/postgresql-lock.ts',
        'REGAIN_PAUSE_MS',
        'Between two attempts of the registry to get back a lock on a PostgreSQL database that it lost.',
      ],
      [
        'apps/holdfast/src/supervisor/supervisor.ts',
        'READY_MS',
        'How long `serve` waits for its services to get ready before it gives up.',
      ],
      [
        'apps/holdfast/src/supervisor/backoff.ts',
        'FIRST_MS',
        'Pause before a service that died is started again; doubles with each death after a few.',
      ],
      ['apps/holdfast/src/supervisor/backoff.ts', 'MAX_MS', 'Longest such pause.'],
      [
        'apps/holdfast/src/supervisor/backoff.ts',
        'FORGIVEN_MS',
        'A service that runs this long makes up for one death.',
      ],
      [
        'apps/holdfast/src/supervisor/backoff.ts',
        'BURST',
        'Deaths that are not made up for and yet followed by the first pause only.',
      ],
    ],
  },
];

const intro = `# Limits

Limits that stand in the code. Those that an installation may want to change are [settings](settings.md): connections,
connections to one export, sessions, threads, and the time for a handshake.

A limit that ends an NBD connection is logged by the gateway and counted by name in \`limits_hit\` of
[GetGateway](api.md#holdfastgatewayv1gatewayservice).`;

/**
 * @param {string} file
 * @param {string} name
 * @param {string | undefined} words
 */
function pick(file, name, words) {
  const constant = readConstants(file).get(name);
  if (constant === undefined)
    throw new Error(`${file} has no numeric constant ${name}: update tools/docs/pages/limits.js`);
  return row({ ...constant, comment: words ?? constant.comment });
}

/** @param {Constant} constant */
function row({ name, comment, value }) {
  if (comment === '')
    throw new Error(`the limit ${name} needs a doc comment: it is its entry in docs/reference/limits.md`);
  return [comment, quantity(name, value), `\`${name}\``];
}

/**
 * A value with the unit that its name ends in.
 *
 * @param {string} name
 * @param {number} value
 */
function quantity(name, value) {
  if (/_MS(_|$)/.test(name)) return value >= 1000 ? `${value / 1000} s` : `${value} ms`;
  if (/BYTES|PAYLOAD/.test(name)) return bytes(value);
  return String(value);
}

/** @param {number} value */
function bytes(value) {
  for (const [unit, size] of /** @type {const} */ ([
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ])) {
    if (value >= size && value % size === 0) return `${value / size} ${unit}`;
  }
  return value === 1 ? '1 byte' : `${value} bytes`;
}

/** @param {Section} section */
function render({ heading, intro: words, files = [], constants = [] }) {
  const rows = [
    ...files.flatMap((file) => [...readConstants(file).values()].map(row)),
    ...constants.map(([file, name, own]) => pick(file, name, own)),
  ];
  return blocks(`## ${heading}`, words, table(['What', 'Limit', 'Name in the code'], rows));
}

/** @type {Page} */
export const limitsPage = {
  file: 'limits.md',
  source: 'the constants named in the last column',
  render: () => blocks(intro, ...sections.map(render)),
};
