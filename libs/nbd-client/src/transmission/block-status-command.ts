import { assert, messageOf } from '@holdfast/foundation';
import { NbdOverflowError } from '../errors/overflow-error.js';
import { NbdRequestError } from '../errors/request-error.js';
import type {
  CompletionCallback,
  ExtentCallback,
  ExtentCallback32,
} from '../extents/block-status-callbacks.js';
import { narrowExtents } from '../extents/narrow-extents.js';
import type { Owned } from '../ownership/owned.js';
import { blockStatusQuery, type BlockStatusOptions } from './block-status-query.js';
import type { CommandIssuer } from './command-issuer.js';
import { BlockStatusReply, type ContextExtents } from './replies/block-status-reply.js';

/** What a 32-bit view of one metadata context says about a range. */
export interface ContextEntries32 {
  /** The name of the context, such as `base:allocation`. */
  readonly context: string;
  /** Length and flags of one extent after the other. */
  readonly entries: Uint32Array;
}

/** A range of an export. */
export interface Range {
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  /** Bytes. */
  readonly length: bigint;
}

/** A BLOCK_STATUS that has passed every check, and is sent when called. */
export type PreparedBlockStatus = () => Promise<readonly ContextExtents[]>;

/** @throws HoldfastError if it is not to be sent */
export function prepareBlockStatus(
  issuer: CommandIssuer,
  { offset, length }: Range,
  options: BlockStatusOptions,
): PreparedBlockStatus {
  const { facts } = issuer;
  const { request, asked, wanted } = blockStatusQuery(facts, offset, length, options);
  const prepared = issuer.prepare({ command: 'BLOCK_STATUS', flags: request.flags, offset, length }, request);
  const replyFacts = {
    extended: facts.replyMode === 'extended',
    contexts: asked,
    reqOne: options.reqOne === true,
    blockSizeMinimum: facts.blockSize.minimum,
    exportSize: facts.sizeBytes,
  };
  return async () => {
    const answers = await issuer.issue<readonly ContextExtents[]>(
      prepared,
      (settle) => new BlockStatusReply({ command: 'BLOCK_STATUS', offset, length }, replyFacts, settle),
    );
    return answers.filter(({ context }) => wanted.has(context));
  };
}

/** As {@link prepareBlockStatus}, for a caller who takes 32 bits (B4). */
export function prepareBlockStatus32(
  issuer: CommandIssuer,
  range: Range,
  options: BlockStatusOptions,
): PreparedBlockStatus {
  if (issuer.isStrict && issuer.facts.replyMode === 'extended') {
    throw new NbdRequestError(
      'needs-64-bits',
      'extended headers were negotiated, so extents may need 64 bits: ask by the call for 64 bits',
    );
  }
  return prepareBlockStatus(issuer, range, options);
}

/** @throws NbdOverflowError if flags do not fit (B3) */
export function narrow({ context, extents }: ContextExtents): ContextEntries32 {
  const entries = narrowExtents(extents);
  if (entries === 'overflow') throw new NbdOverflowError(context);
  return { context, entries };
}

/** Gives the extents of 32 bits to a callback for them. */
export function narrowing(callback: ExtentCallback32): ExtentCallback {
  return {
    extents: (context, extents) => {
      callback.extents(context, extents.offset, narrow({ context, extents }).entries);
    },
    release: () => {
      callback.release();
    },
  };
}

/**
 * Takes both callbacks and sends the request. Nothing fails between the first taking and the sending: that both are there
 * is found out before (B7).
 */
export function sendWithCallbacks<Extents extends ExtentCallback | ExtentCallback32>(
  send: PreparedBlockStatus,
  extents: Owned<Extents>,
  completion: Owned<CompletionCallback>,
  adapt: (callback: Extents) => ExtentCallback,
): void {
  assert(extents.isHeld && completion.isHeld, 'callbacks are given to one request only');
  const taken = { extents: adapt(extents.take()), completion: completion.take() };
  void deliver(send(), taken.extents, taken.completion);
}

/** Calls the callbacks and releases each once, whatever happens. */
async function deliver(
  answer: Promise<readonly ContextExtents[]>,
  callback: ExtentCallback,
  completion: CompletionCallback,
): Promise<void> {
  try {
    completion.completed(await handOver(answer, callback));
  } finally {
    callback.release();
    completion.release();
  }
}

/** @returns what went wrong, if anything did: with the request, or in the callback */
async function handOver(
  answer: Promise<readonly ContextExtents[]>,
  callback: ExtentCallback,
): Promise<Error | undefined> {
  try {
    for (const { context, extents } of await answer) callback.extents(context, extents);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}
