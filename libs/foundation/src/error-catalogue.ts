/** The canonical gRPC status names that our errors use (google.rpc.Code). */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'RESOURCE_EXHAUSTED'
  | 'PERMISSION_DENIED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

interface CatalogueEntry {
  readonly status: StatusName;
  readonly meaning: string;
  readonly recovery: string;
}

function entry(status: StatusName, meaning: string, recovery: string): CatalogueEntry {
  return { status, meaning, recovery };
}

/**
 * Every error code, once: its gRPC status, what it means, what to do. `docs/reference/errors.md` lists the same
 * table, and a test compares the two. Codes are never renamed.
 */
export const errorCatalogue = {
  INVALID_ARGUMENT: entry(
    'INVALID_ARGUMENT',
    'A field of the request is malformed.',
    'Correct the field that the message names.',
  ),
  INVALID_SETTING: entry(
    'INVALID_ARGUMENT',
    'A setting cannot be understood.',
    'Correct the setting that the message names.',
  ),
  DEVICE_NOT_FOUND: entry(
    'NOT_FOUND',
    'No device has this name.',
    'List the devices: `holdfast device list`.',
  ),
  DEVICE_EXISTS: entry(
    'ALREADY_EXISTS',
    'A device of this name exists with another definition.',
    'Choose another name, or remove the device first.',
  ),
  DEVICE_IN_USE: entry(
    'FAILED_PRECONDITION',
    'Live leases, exports or reservations still use the device, or something of it is pinned.',
    'End the sessions or exports, or destroy the allocators, that the message names, then repeat. `holdfast ledger show` tells what is pinned.',
  ),
  DEVICE_NOT_ATTACHED: entry(
    'FAILED_PRECONDITION',
    'The device is not attached, so nothing can lease it.',
    'Attach it: `holdfast device attach NAME`.',
  ),
  DEVICE_BUSY: entry('ABORTED', 'Another operation on the device is under way.', 'Repeat after a moment.'),
  DEVICE_UNREPAIRED: entry(
    'UNAVAILABLE',
    'What a crash left of the device could not be repaired yet.',
    'It is tried again by itself; the message says why it fails. If it goes on, detach the device and attach it.',
  ),
  DEVICE_OPEN_FAILED: entry(
    'FAILED_PRECONDITION',
    'The path could not be opened as a device.',
    'Check the path and its permissions; the message carries the system error.',
  ),
  DEVICE_UNSUITABLE: entry(
    'FAILED_PRECONDITION',
    'The path is neither a regular file nor a block device.',
    'Give the path of an image file or of a block device.',
  ),
  DEVICE_IDENTITY_MISMATCH: entry(
    'FAILED_PRECONDITION',
    'The descriptor received is not the device that was recorded.',
    'Detach and attach the device; if it repeats, something replaces the device.',
  ),
  DEVICE_ATTACHED_TWICE: entry(
    'ALREADY_EXISTS',
    'The same file or block device is attached under another name.',
    'Use the other device, or detach it first.',
  ),
  DEVICE_LOCKED: entry(
    'FAILED_PRECONDITION',
    'Another process, or the kernel, uses the file or block device in a way that excludes this use.',
    'Stop what the message names, or attach the device read-only; any number may read what nobody writes.',
  ),
  REATTACHMENT_WITHHELD: entry(
    'FAILED_PRECONDITION',
    'A device that should be attached is not attached again by itself: nothing tells that its path still leads to it, or it is registered so.',
    'Make sure that its path leads to the device meant, then attach it: `holdfast device attach NAME`.',
  ),
  DIRECT_IO_UNSUPPORTED: entry(
    'FAILED_PRECONDITION',
    'The device was to be read and written past the page cache, and cannot be.',
    'Register the device without --direct-io, or do what the message says; ext4, XFS, Btrfs and block devices have direct I/O.',
  ),
  LOOP_UNAVAILABLE: entry(
    'FAILED_PRECONDITION',
    'No loop device can be had.',
    'The message says whether the machine has none or others hold them all; `file` devices need none.',
  ),
  LOOP_SETTING_REFUSED: entry(
    'FAILED_PRECONDITION',
    'The kernel did not give the loop device a setting that was asked for, so it was not used.',
    'Change the setting that the message names.',
  ),
  DEVICE_READ_ONLY: entry(
    'FAILED_PRECONDITION',
    'Writing was asked of a device that is open for reading only.',
    'Ask for reading only, or register the device without --read-only.',
  ),
  LEASE_NOT_FOUND: entry(
    'NOT_FOUND',
    'No live lease has this name.',
    'List the leases: `holdfast lease list`.',
  ),
  RESUME_TOKEN_EXPIRED: entry(
    'FAILED_PRECONDITION',
    'Changes that follow the resume token are not recorded any more.',
    'Read the present state (ListDevices), then watch without a token.',
  ),
  REQUEST_ID_REUSED: entry(
    'ALREADY_EXISTS',
    'Another request came with the same request id.',
    'Give every request an id of its own, and repeat one with nothing changed.',
  ),
  LEASE_CONFLICT: entry(
    'FAILED_PRECONDITION',
    'Another client uses the device in a way that excludes this use.',
    'End the sessions that the message names, or wait for their end.',
  ),
  LEASE_REFUSED: entry(
    'FAILED_PRECONDITION',
    'The lease is of an older epoch, another worker, or was voided.',
    'Connect again; a fresh lease is taken.',
  ),
  EXPORT_NOT_FOUND: entry(
    'NOT_FOUND',
    'No export has this name.',
    'List the exports: `holdfast export list`.',
  ),
  EXPORT_EXISTS: entry(
    'ALREADY_EXISTS',
    'An export of this name exists with another definition.',
    'Choose another name, or remove the export first.',
  ),
  TLS_REQUIRED: entry(
    'FAILED_PRECONDITION',
    'The export is served through TLS only, and the client has none.',
    'Connect with TLS; if the gateway offers none, publish the export without that condition.',
  ),
  CLIENT_NOT_ALLOWED: entry(
    'PERMISSION_DENIED',
    'The export does not let this client in.',
    'Connect from where it is allowed, or publish the export again with this client among those allowed.',
  ),
  SESSION_NOT_FOUND: entry(
    'NOT_FOUND',
    'No session has this name.',
    'List the sessions: `holdfast session list`.',
  ),
  HANDOFF_FAILED: entry(
    'UNAVAILABLE',
    'A descriptor could not be passed to its receiver, or did not arrive.',
    'The receiving service is restarting; repeat after a moment.',
  ),
  WORKER_UNAVAILABLE: entry(
    'UNAVAILABLE',
    'The I/O worker does not answer.',
    'It is being restarted; repeat after a moment and look at `holdfast status`.',
  ),
  UPGRADE_FAILED: entry(
    'FAILED_PRECONDITION',
    'The worker could not be replaced by a new process. The old one goes on, and no client was disconnected.',
    'Do what the message says, or wait until it has passed, and repeat `holdfast worker upgrade`.',
  ),
  SERVICE_UNAVAILABLE: entry(
    'UNAVAILABLE',
    'A service does not answer.',
    'Check that holdfast runs (`holdfast status`) and that --state or --endpoint is right.',
  ),
  SERVICE_FAILED: entry(
    'INTERNAL',
    'A service ended before it was ready.',
    'The message carries its last words; the rest is in `logs` of the state folder.',
  ),
  SHUTTING_DOWN: entry(
    'UNAVAILABLE',
    'The service is stopping and takes no new work.',
    'Repeat once it runs again.',
  ),
  LIMIT_REACHED: entry(
    'RESOURCE_EXHAUSTED',
    'A stated limit was reached.',
    'Close what is no longer needed, or raise the setting that the message names.',
  ),
  STATE_LOCKED: entry(
    'FAILED_PRECONDITION',
    'Another `holdfast serve` uses this state folder.',
    'Stop it, or give this one its own folder by --state.',
  ),
  PORT_IN_USE: entry(
    'FAILED_PRECONDITION',
    'Something else listens on the address.',
    'Choose another by --listen or --socket, or stop what holds it.',
  ),
  SYSTEM_CALL_FAILED: entry(
    'INTERNAL',
    'The kernel refused a system call.',
    'The message carries call and errno; see its man page.',
  ),
  DATABASE_UNAVAILABLE: entry(
    'UNAVAILABLE',
    'The database does not answer.',
    'Check that it runs and that DATABASE_URL is right; repeat after a moment.',
  ),
  DATABASE_LOCKED: entry(
    'FAILED_PRECONDITION',
    'Another device-registry keeps its records in this database.',
    'Stop the one that the message names, or give each its own database by DATABASE_URL.',
  ),
  DATABASE_FAILED: entry(
    'INTERNAL',
    'The database could not store or read: a full disk, a damaged file, no permission.',
    'Mend what the message names; nothing of the operation was recorded.',
  ),
  MIGRATION_CHANGED: entry(
    'FAILED_PRECONDITION',
    'A migration that was already applied differs from the one shipped.',
    'Run the version that wrote the database, or restore a backup.',
  ),
  NBD_URI_INVALID: entry(
    'INVALID_ARGUMENT',
    'An NBD URI cannot be understood.',
    'Correct the part that the message names.',
  ),
  NBD_SERVER_UNREACHABLE: entry(
    'UNAVAILABLE',
    'An NBD server could not be connected to, or did not answer in time.',
    'Check that it runs, and that the host and port or the socket are right.',
  ),
  NBD_SERVER_TOO_OLD: entry(
    'FAILED_PRECONDITION',
    'An NBD server negotiates in the oldstyle, or in newstyle that is not fixed.',
    'Use a server that negotiates in fixed newstyle, as all current ones do.',
  ),
  NBD_TLS_FAILED: entry(
    'FAILED_PRECONDITION',
    'TLS with an NBD server could not be set up.',
    'Check the certificates or the key that the message names.',
  ),
  NBD_OPTION_REFUSED: entry(
    'FAILED_PRECONDITION',
    'An NBD server refused what it was asked for in the handshake.',
    'Ask for what the server has; the message carries its refusal.',
  ),
  NBD_PROTOCOL_VIOLATION: entry(
    'INTERNAL',
    'An NBD server broke the protocol, so its connection was ended.',
    'Report it to those who run the server; the message names the rule.',
  ),
  NBD_CONNECTION_LOST: entry(
    'UNAVAILABLE',
    'The connection to an NBD server ended with requests unanswered: each may or may not have been carried out.',
    'Connect again and repeat them.',
  ),
  NBD_CONNECTION_CLOSED: entry(
    'FAILED_PRECONDITION',
    'A request was made on a connection to an NBD server that is closed or closing.',
    'Connect again.',
  ),
  NBD_REQUEST_INVALID: entry(
    'INVALID_ARGUMENT',
    'A request to an NBD server does not keep to what was negotiated; it was not sent.',
    'Correct what the message names.',
  ),
  NBD_REQUEST_FAILED: entry(
    'INTERNAL',
    'An NBD server answered a request with an error.',
    'The message carries the error, and the words of the server if it gave any.',
  ),
  NBD_ANSWER_TOO_WIDE: entry(
    'FAILED_PRECONDITION',
    'An answer of an NBD server has flags that do not fit the 32 bits that were asked for (EOVERFLOW).',
    'Use the call for 64 bits.',
  ),
  NBD_CONTEXT_NOT_OFFERED: entry(
    'FAILED_PRECONDITION',
    'An NBD server does not have a metadata context for an export.',
    'Ask for one that it has: `holdfast nbd info URI` lists them.',
  ),
  COPY_REFUSED: entry(
    'FAILED_PRECONDITION',
    'Source and destination of a copy do not go together; nothing was written.',
    'Choose another destination, or correct what the message names.',
  ),
  COPY_INTERRUPTED: entry(
    'ABORTED',
    'A copy was stopped by a signal before it was complete.',
    'Go on with it: repeat the command with the `--resume-from` that the message gives.',
  ),
  PROGRAM_MALFORMED: entry(
    'INVALID_ARGUMENT',
    'The text of a program cannot be read.',
    'Correct it at the line and column that the message names.',
  ),
  PROGRAM_REJECTED: entry(
    'FAILED_PRECONDITION',
    'The verifier does not accept a program: on some path it would break a rule.',
    'Change the program as the message says; its `rule` is explained in the reference of programs.',
  ),
  PROGRAM_FAULTED: entry(
    'FAILED_PRECONDITION',
    'A run of a program was stopped; nothing of it was done.',
    'Correct the arguments or the program, as the message says.',
  ),
  PROGRAM_NOT_LOADED: entry(
    'NOT_FOUND',
    'No program of this name is loaded.',
    'List the programs: `holdfast program list`; or load it.',
  ),
  PROGRAM_EXISTS: entry(
    'ALREADY_EXISTS',
    'A program of this name is loaded with another text.',
    'Choose another name, or unload the program first.',
  ),
  POOL_EXHAUSTED: entry(
    'RESOURCE_EXHAUSTED',
    'An allocator has fewer free chunks than were asked for; none was allocated.',
    'Free chunks, or create an allocator on another pool: `holdfast allocator list` tells how full each is.',
  ),
  FOREIGN_CHUNK: entry(
    'FAILED_PRECONDITION',
    'A chunk was to be freed by an allocator that is not its own; nothing was freed.',
    'Report it with the log of the service: what a verified program frees comes from the allocator that it names.',
  ),
  CHUNK_NOT_ALLOCATED: entry(
    'FAILED_PRECONDITION',
    'A chunk was to be freed that is free already, or was allocated anew since; nothing was freed.',
    'Report it with the log of the service: a handle is used once.',
  ),
  ALLOCATOR_NOT_FOUND: entry(
    'NOT_FOUND',
    'No allocator has this name.',
    'List the allocators: `holdfast allocator list`.',
  ),
  ALLOCATOR_EXISTS: entry(
    'ALREADY_EXISTS',
    'An allocator of this name exists with another definition, or is being destroyed.',
    'Choose another name, or destroy the allocator first.',
  ),
  ALLOCATOR_BUSY: entry(
    'ABORTED',
    'Another operation on the allocator is under way.',
    'Repeat after a moment.',
  ),
  POOL_IN_USE: entry(
    'FAILED_PRECONDITION',
    'Another allocator has a part of the region that was asked for.',
    'Choose a region that none of those has which the message names.',
  ),
  MAP_NOT_FOUND: entry('NOT_FOUND', 'No map has this name.', 'List the maps: `holdfast map list`.'),
  CHUNKS_BUSY: entry(
    'ABORTED',
    'A change of a map was refused: requests of clients that are served its chunks did not end in time.',
    'Repeat it. If it is refused again, the device does not answer: see the log of the worker.',
  ),
  CHUNKS_STALE: entry(
    'FAILED_PRECONDITION',
    'What the clients of a map may reach was to be set by somebody who knows less than the worker.',
    'Nothing: the allocator-verifier tells it anew within a second.',
  ),
  MAP_EXISTS: entry(
    'ALREADY_EXISTS',
    'A map of this name exists with another definition.',
    'Choose another name, or free the map first.',
  ),
  MAP_NOT_EMPTY: entry(
    'FAILED_PRECONDITION',
    'A map was to go while it holds handles.',
    'Report it with the log of the service: what a map holds is freed before it is.',
  ),
  SLOT_TAKEN: entry(
    'FAILED_PRECONDITION',
    'A handle was to be stored where another is held, or a chunk twice; nothing was changed.',
    'Report it with the log of the service: a program exchanges what a field holds.',
  ),
  INTERNAL: entry('INTERNAL', 'A bug in holdfast.', 'Report it with the log of the service.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}
