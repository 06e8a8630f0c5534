/**
 * The rules that tests carry in their names: of the NBD protocol (N handshake, T transmission), of ownership and width
 * of extents (A, B), of allocators (C), and of pins (E). A rule without a test fails the generator.
 */

/** @import { Rule } from './types.js' */

/** @type {readonly { heading: string, rules: readonly Rule[] }[]} */
export const ruleGroups = [
  {
    heading: 'Handshake',
    rules: [
      ['N1', 'An unknown option is skipped to its exact end and answered `ERR_UNSUP`.'],
      ['N2', 'Client flags that were not offered end the connection.'],
      [
        'N3',
        'EXPORT_NAME that fails closes without a reply; the 124 zeroes are sent unless they were waived.',
      ],
      ['N4', 'LIST names every export that is not hidden, then ACK; data is `ERR_INVALID`.'],
      ['N5', 'INFO and GO check lengths before they allocate, resolve the export afresh, and answer alike.'],
      ['N6', 'ABORT is acknowledged, and a peer that is gone already is no error.'],
      [
        'N7',
        'STARTTLS wipes what was negotiated before and every plaintext byte that is buffered; a second one is `ERR_INVALID`.',
      ],
      ['N8', 'Each TLS mode answers `TLS_REQD` exactly where the specification says so.'],
      [
        'N9',
        'SET_META_CONTEXT replaces the selection, even when it fails; ids are unique, and hold for the export of GO only.',
      ],
      [
        'N10',
        'A handshake is bounded in options, bytes and time, connections in number; a bound that is hit is logged and counted.',
      ],
      [
        'N11',
        'After EXTENDED_HEADERS only GO enters transmission, and STRUCTURED_REPLY is `ERR_EXT_HEADER_REQD`.',
      ],
      ['N12', 'A client that is unwelcome is told by an error, not cut off.'],
    ],
  },
  {
    heading: 'Transmission',
    rules: [
      [
        'T1',
        'A payload is there exactly when the mode says so; it is consumed even where it does not belong, up to the maximum.',
      ],
      [
        'T2',
        'A flag that is unknown or does not belong to the command is EINVAL; FUA belongs to every command.',
      ],
      ['T3', 'The payload of a WRITE that fails is drained, and the connection goes on.'],
      ['T4', 'Past the end is EINVAL or ENOSPC, without overflow; a change to a read-only export is EPERM.'],
      ['T5', 'Block sizes that are advertised are enforced, on clients too that never asked.'],
      ['T6', 'Commands without payload may be longer than the maximum payload.'],
      ['T7', 'Length zero is EINVAL; a wrong magic ends that connection, never the process.'],
      [
        'T8',
        'With structured replies READ is always answered in chunks; with extended headers nothing is a simple reply.',
      ],
      [
        'T9',
        'The chunks of a READ lie inside the request, do not overlap and cover it; DONE comes once and last.',
      ],
      ['T10', 'A simple READ that fails after its header was sent ends the connection at once.'],
      [
        'T11',
        'BLOCK_STATUS answers one chunk per selected context, merged and bounded; without a context it is EINVAL.',
      ],
      [
        'T12',
        'Extended replies echo the offset and use 64-bit extents only; a wrong filter is consumed, then EINVAL.',
      ],
      ['T13', 'FLUSH covers every write answered before, on all connections; FUA covers its own.'],
      [
        'T14',
        'WRITE_ZEROES reads back as zeroes; NO_HOLE provisions; FAST_ZERO fails at once rather than be slow.',
      ],
      ['T15', 'DISC finishes what is outstanding, and has no reply.'],
      [
        'T16',
        'A server that stops finishes what it began and answers the rest ESHUTDOWN; cookies are echoed bit for bit.',
      ],
      ['T17', 'An old write of a dead connection never lands over newer data.'],
      ['T18', 'HAS_FLAGS is always set, READ_ONLY always enforced.'],
      ['T19', 'Nothing that a peer announces is allocated before it is checked against its bound.'],
    ],
  },
  {
    heading: 'Ownership of extents',
    rules: [
      ['A1', 'Extents may be kept after the callback that received them.'],
      ['A2', 'The extents of one reply survive the next reply.'],
      ['A3', 'The same with many connections and buffers that are used again.'],
      ['A4', 'What copies is named so; what lends is named `borrow…` and ends with its loan.'],
      ['A5', 'More extents than a reply may carry are an error, never a truncation.'],
      ['A6', 'Replies are bounded on both sides, and a loop over them still covers the range.'],
    ],
  },
  {
    heading: '64-bit extents',
    rules: [
      ['B1', 'With extended headers there are 64-bit extents only, without them 32-bit extents only.'],
      ['B2', 'Both widths are decoded apart, into an array of their own, and held in 64 bits.'],
      [
        'B3',
        'The 32-bit view cuts at 4 GiB − 64 MiB, so that its caller advances; wide flags are EOVERFLOW.',
      ],
      ['B4', 'In strict mode the 32-bit call is refused where extended headers were negotiated.'],
      ['B5', 'A 64-bit context is neither selected nor answered without extended headers.'],
      ['B6', 'Lengths of extents are checked before anything is allocated for them.'],
      ['B7', 'A call takes all callbacks or none, and each is released once.'],
    ],
  },
  {
    heading: 'Allocators',
    rules: [
      ['C1', 'An allocator lives while a program may free what it allocated, whatever way that has gone.'],
      ['C2', 'All orders of loading give the same classes and lifetimes.'],
      ['C3', 'A map that is freed with an object inside: first the object goes, then its allocator.'],
      ['C4', 'A program that allocates and never comes harms nobody.'],
      [
        'C5',
        'A second allocator is rejected while the first is bound, and accepted after the chain dissolved.',
      ],
      ['C6', 'A field that is not null keeps its chain.'],
      ['C7', 'A program that uses a field may hold a value of it, so nothing is walked.'],
      ['C8', 'No claim is irreversible.'],
      ['C10', 'Killed after any step and restarted, the table is the same, and nothing is destroyed early.'],
    ],
  },
  {
    heading: 'Pins',
    rules: [
      ['E1', 'Pins are counted apart from references; the first takes one, the last drops it.'],
      ['E2', 'What one layer acquired it releases itself; those below neither get nor put.'],
      ['E3', 'A call that waits is released by its caller, any other by its completion alone, once.'],
      ['E4', 'How a request is released is chosen when it is filled; different ones are never merged.'],
      ['E5', 'A request has segments of one variant; another is refused.'],
      ['E6', 'The shared buffer of zeroes is treated alike when it is acquired and when it is released.'],
      ['E7', 'One buffer may feed many requests, but no request is fed by two.'],
      ['E8', 'What was handed over with a request is freed by its completion.'],
      ['E9', 'A wrong release is counted, logged with both sites, and frees nothing.'],
      ['E10', 'An error may only leak; at rest what was acquired and what was released are the same.'],
      ['E11', 'References of others disturb nothing.'],
      ['E12', 'A buffer that may be pinned is not used for anything else.'],
    ],
  },
];
