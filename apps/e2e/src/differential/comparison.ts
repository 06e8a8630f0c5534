import { Cmd } from '../protocol/spec-numbers.js';
import type { Answer, Extent } from './answer.js';
import type { Question } from './question.js';

/** A part of the export, `to` not included. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Whether two answers say the same. A server may tell fewer extents than were asked for, and more than that of the last:
 * what both tell about the range has to be the same.
 */
export function saysTheSame(question: Question, one: Answer, other: Answer): boolean {
  if (one.kind === 'closed') return other.kind === 'closed' && one.told === other.told;
  if (other.kind === 'closed') return false;
  if (one.error !== other.error || one.sha256 !== other.sha256) return false;
  if ((one.extents === undefined) !== (other.extents === undefined)) return false;
  return differingRanges(question, one, other).length === 0;
}

/** Where two answers to a BLOCK_STATUS say something else. */
export function differingRanges(question: Question, one: Answer, other: Answer): Range[] {
  if (question.type !== Cmd.BLOCK_STATUS || one.kind === 'closed' || other.kind === 'closed') return [];
  const asked = question.filter?.length ?? question.length;
  const [mine, theirs] = [one.extents ?? [], other.extents ?? []];
  const end = [asked, total(mine), total(theirs)].reduce((least, each) => (each < least ? each : least));
  const borders = [...new Set([0n, ...ends(mine), ...ends(theirs), end])]
    .filter((border) => border <= end)
    .sort((a, b) => (a < b ? -1 : 1));
  return borders.slice(1).flatMap((to, index) => {
    const from = borders[index] ?? 0n;
    if (flagsAt(mine, from) === flagsAt(theirs, from)) return [];
    return [{ from: question.offset + from, to: question.offset + to }];
  });
}

/** Where an answer to a BLOCK_STATUS says that there are zeroes. */
export function zeroRanges({ offset }: Question, answer: Answer): Range[] {
  const NBD_STATE_ZERO = 2n;
  const extents = answer.kind === 'reply' ? (answer.extents ?? []) : [];
  const stops = ends(extents);
  return extents.flatMap(({ length, flags }, index) => {
    const to = offset + (stops[index] ?? 0n);
    return (flags & NBD_STATE_ZERO) === 0n ? [] : [{ from: to - length, to }];
  });
}

/** For the message of a test that fails. */
export function answerText(answer: Answer): string {
  if (answer.kind === 'closed') return `closed the connection, told ${answer.told ?? 'nothing'}`;
  const { error, sha256, extents } = answer;
  const extentsText = extents?.map(({ length, flags }) => `${length}:${flags}`).join(' ');
  return [`error ${error}`, sha256?.slice(0, 16), extentsText]
    .filter((part) => part !== undefined)
    .join(', ');
}

function total(extents: readonly Extent[]): bigint {
  return extents.reduce((sum, { length }) => sum + length, 0n);
}

/** Where each extent ends, from the start of the first. */
function ends(extents: readonly Extent[]): bigint[] {
  let at = 0n;
  return extents.map(({ length }) => (at += length));
}

function flagsAt(extents: readonly Extent[], position: bigint): bigint | undefined {
  return extents[ends(extents).findIndex((end) => position < end)]?.flags;
}
