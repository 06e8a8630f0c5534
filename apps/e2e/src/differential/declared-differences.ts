import { Cmd, Err } from '../protocol/spec-numbers.js';
import { differingRanges } from './comparison.js';
import type { Answer } from './answer.js';
import type { Provisioned } from './provisioned.js';
import { endsConnection, MAXIMUM_PAYLOAD, type Question, type ReplyMode } from './question.js';

/** One question that was answered differently. */
export interface Disagreement {
  readonly question: Question;
  readonly holdfast: Answer;
  readonly qemu: Answer;
  /** Where WRITE_ZEROES with NO_HOLE has been. */
  readonly provisioned: Provisioned;
}

/** Where holdfast and qemu-nbd answer one question differently, on purpose. */
export interface DeclaredDifference {
  /** What a client does to see it. */
  readonly when: string;
  readonly holdfast: string;
  readonly qemu: string;
  /** Why holdfast does it so. */
  readonly reason: string;
  /** What `doc/proto.md` says of it, word for word. */
  readonly specification: string;
  /** In which reply modes it is met. */
  readonly modes: readonly ReplyMode[];
  readonly isSo: (disagreement: Disagreement) => boolean;
}

const ALL = ['simple', 'structured', 'extended'] as const;

export const declaredDifferences: readonly DeclaredDifference[] = [
  {
    when: 'A READ, WRITE, TRIM, CACHE or WRITE_ZEROES has a length of zero',
    holdfast: 'EINVAL',
    qemu: 'success',
    reason:
      'No client means it: a length of zero is a mistake, or a number that was cut off, and is better told than passed over.',
    specification:
      'The client SHOULD NOT request a read length of 0; the behavior of a server on such a request is unspecified although the server SHOULD NOT disconnect.',
    modes: ALL,
    isSo: ({ question: { type, length }, holdfast, qemu }) =>
      [Cmd.READ, Cmd.WRITE, Cmd.TRIM, Cmd.CACHE, Cmd.WRITE_ZEROES].some((command) => command === type) &&
      length === 0n &&
      hasError(holdfast, Err.EINVAL) &&
      hasError(qemu, Err.OK),
  },
  {
    when: 'A WRITE or WRITE_ZEROES goes beyond the end',
    holdfast: 'ENOSPC',
    qemu: 'EINVAL',
    reason: 'The specification asks for it.',
    specification:
      'The server SHOULD return `NBD_ENOSPC` if it receives a write request including one or more sectors beyond the size of the device.',
    modes: ALL,
    isSo: ({ question: { type }, holdfast, qemu }) =>
      (type === Cmd.WRITE || type === Cmd.WRITE_ZEROES) &&
      hasError(holdfast, Err.ENOSPC) &&
      hasError(qemu, Err.EINVAL),
  },
  {
    when: 'A FLUSH has an offset or a length',
    holdfast: 'EINVAL',
    qemu: 'success, if they lie within the export',
    reason: 'A client that thinks that it flushes a part, or that sent another command, is told so.',
    specification: 'For a flush request, *length* and *offset* are reserved, and MUST be set to all-zero.',
    modes: ALL,
    isSo: ({ question: { type }, holdfast, qemu }) =>
      type === Cmd.FLUSH && hasError(holdfast, Err.EINVAL) && hasError(qemu, Err.OK),
  },
  {
    when: 'A WRITE is longer than the maximum payload',
    holdfast: 'the connection ends',
    qemu: 'EINVAL, then the connection ends',
    reason: 'The client is about to send the payload, and does not expect an answer before.',
    specification:
      'Notwithstanding any maximum payload size advertised, either the server or the client MAY initiate a hard disconnect if a payload length of either a request or a reply would be large enough to be deemed a denial of service attack',
    modes: ALL,
    isSo: ({ question, holdfast, qemu }) =>
      endsConnection(question) &&
      holdfast.kind === 'closed' &&
      holdfast.told === undefined &&
      qemu.kind === 'closed' &&
      qemu.told === Err.EINVAL,
  },
  {
    when: 'A CACHE is longer than the maximum payload',
    holdfast: 'success; the first 64 MiB are read ahead',
    qemu: 'EINVAL',
    reason: 'A CACHE has no payload, so nothing bounds its length but the export.',
    specification:
      'For commands that do not require a payload in either direction (such as `NBD_CMD_TRIM` or `NBD_CMD_WRITE_ZEROES`), the client MAY request an effect length larger than the maximum payload size; the server SHOULD NOT disconnect, but MAY reply with an `NBD_EOVERFLOW` or `NBD_EINVAL` error if the oversize request would require too many server resources',
    modes: ALL,
    isSo: ({ question: { type, length }, holdfast, qemu }) =>
      type === Cmd.CACHE &&
      length > MAXIMUM_PAYLOAD &&
      hasError(holdfast, Err.OK) &&
      hasError(qemu, Err.EINVAL),
  },
  {
    when: 'BLOCK_STATUS is asked of zeroes that WRITE_ZEROES with NO_HOLE has provisioned',
    holdfast: 'a hole, or allocated, as the kernel says at that moment',
    qemu: 'the same, of its own file at its own moment',
    reason:
      'Linux tells provisioned space as a hole until a page of it is in memory, by a READ or a CACHE for example, and the two servers read ahead differently. Wherever either says zero there are zeroes: the test reads the file.',
    specification:
      '`NBD_STATE_HOLE` (bit 0): if set, the block represents a hole (and future writes to that area may cause fragmentation or encounter an `NBD_ENOSPC` error); if clear, the block is allocated or the server could not otherwise determine its status.',
    modes: ['structured', 'extended'],
    isSo: ({ question, holdfast, qemu, provisioned }) =>
      question.type === Cmd.BLOCK_STATUS &&
      hasError(holdfast, Err.OK) &&
      hasError(qemu, Err.OK) &&
      differingRanges(question, holdfast, qemu).every(({ from, to }) => provisioned.covers(from, to)),
  },
];

function hasError(answer: Answer, error: number): boolean {
  return answer.kind === 'reply' && answer.error === error;
}
