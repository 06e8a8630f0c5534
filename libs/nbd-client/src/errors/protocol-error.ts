import { HoldfastError } from '@holdfast/foundation';

/** Which rule a server broke, and how it is told. */
const violations = {
  'not-nbd': 'it does not greet like an NBD server',
  'bad-option-reply': 'its answer to an option is none',
  'unexpected-option-reply': 'it answered an option with a reply of another kind',
  'malformed-option-reply': 'its answer to an option is malformed',
  'option-reply-too-long': 'its answer to an option is longer than any may be',
  'too-many-option-replies': 'its answer to an option has more parts than are taken',
  'missing-export-info': 'it accepted an export without describing it',
  'bad-block-size': 'its block sizes break the rules for them',
  'missing-has-flags': 'its transmission flags are not valid',
  'go-unsupported': 'it knows extended headers and not GO',
  'plaintext-after-starttls': 'it sent plaintext after it agreed to TLS',
  'bytes-out-of-turn': 'it sent bytes that nobody had asked for',
  'bad-reply-magic': 'no reply of the negotiated kind begins where one must',
  'unknown-cookie': 'it answered a request that is not in flight',
  'wrong-offset': 'it answered a request with another offset',
  'chunk-too-large': 'a chunk of its reply is longer than 64 MiB',
  'unknown-chunk': 'it sent a chunk of an unknown type',
  'unexpected-chunk': 'it sent a chunk that does not belong to the request',
  'malformed-chunk': 'it sent a malformed chunk',
  'none-without-done': 'its NONE chunk was not the last of the reply',
  'mixed-reply': 'it began a reply in chunks and went on with a simple one',
  'simple-read-reply': 'it answered a READ with a simple reply although chunks were negotiated',
  'data-outside-request': 'it sent data from outside the requested range',
  'overlapping-data': 'it sent a part of the requested range twice',
  'incomplete-data': 'it ended a successful READ before all data was there',
  'fragmented-data': 'it split a reply that had to be in one piece',
  'too-many-fragments': 'it sent the data in more scattered pieces than are taken',
  'too-many-errors': 'its reply has more errors than are taken',
  'error-outside-request': 'it reported an error outside the requested range',
  'wrong-block-status': 'its BLOCK_STATUS reply has the form that was not negotiated',
  'unknown-context': 'it reported on a metadata context that was not asked for',
  'repeated-context': 'it reported twice on one metadata context',
  'missing-context': 'it ended a successful BLOCK_STATUS without all metadata contexts',
  'too-many-extents': 'it sent more extents in one chunk than are taken',
  'extents-beyond-request': 'its extents go on after the end of the requested range',
  'misaligned-extent': 'its extents are no multiples of its minimum block size',
} as const;

/** The name of a broken rule: stable, for programs. */
export type Violation = keyof typeof violations;

/** A server broke the protocol. The connection is ended, since its stream can no longer be trusted. */
export class NbdProtocolError extends HoldfastError {
  readonly violation: Violation;

  /** @param detail what was seen, to follow the rule in the sentence */
  constructor(violation: Violation, detail?: string) {
    const sentence = `the NBD server broke the protocol: ${violations[violation]}`;
    super('NBD_PROTOCOL_VIOLATION', detail === undefined ? sentence : `${sentence} (${detail})`, {
      violation,
    });
    this.violation = violation;
  }
}
