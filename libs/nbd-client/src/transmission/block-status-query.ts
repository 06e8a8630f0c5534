import {
  Command,
  CommandFlag,
  encodeBlockStatusFilter,
  TransmissionFlag,
  type MetaContext,
} from '@holdfast/nbd-protocol';
import { NbdRequestError } from '../errors/request-error.js';
import type { TransmissionFacts } from './check-request.js';
import type { WireRequest } from './request.js';

/** What to ask about a range. */
export interface BlockStatusOptions {
  /** One extent for each context, no longer than the range. Default false. */
  readonly reqOne?: boolean;
  /**
   * Names of those of the selected contexts that are to be answered; all if left out. A server that offers it is told to
   * leave out the others, of other servers they are dropped here.
   */
  readonly contexts?: readonly string[];
}

export interface BlockStatusQuery {
  readonly request: WireRequest;
  /** Those that the server will answer. */
  readonly asked: readonly MetaContext[];
  /** Those that the caller wants, by name. */
  readonly wanted: ReadonlySet<string>;
}

/** @throws NbdRequestError if a context was not selected, or is named twice */
export function blockStatusQuery(
  facts: TransmissionFacts,
  offset: bigint,
  length: bigint,
  options: BlockStatusOptions,
): BlockStatusQuery {
  const reqOne = options.reqOne === true ? CommandFlag.REQ_ONE : 0;
  const request = { type: Command.BLOCK_STATUS, flags: reqOne, offset, length, payload: undefined };
  const wanted = selectContexts(facts.metaContexts, options.contexts);
  const names = new Set(wanted.map(({ name }) => name));
  const isFiltered = wanted.length < facts.metaContexts.length;
  if (!isFiltered || !offersFilter(facts)) return { request, asked: facts.metaContexts, wanted: names };
  const payload = encodeBlockStatusFilter({
    effectLength: length,
    contextIds: wanted.map(({ id }) => id),
  });
  return {
    // The length is then that of the payload, which carries the range's own.
    request: {
      ...request,
      flags: reqOne | CommandFlag.PAYLOAD_LEN,
      length: BigInt(payload.length),
      payload,
    },
    asked: wanted,
    wanted: names,
  };
}

function selectContexts(
  selected: readonly MetaContext[],
  names: readonly string[] | undefined,
): readonly MetaContext[] {
  if (names === undefined) return selected;
  if (names.length === 0) {
    throw new NbdRequestError('unknown-context', 'BLOCK_STATUS needs at least one metadata context');
  }
  if (new Set(names).size !== names.length) {
    throw new NbdRequestError('unknown-context', 'a metadata context is named twice');
  }
  return names.map((name) => {
    const context = selected.find((one) => one.name === name);
    if (context !== undefined) return context;
    throw new NbdRequestError(
      'unknown-context',
      `the metadata context "${name}" was not selected in the handshake`,
    );
  });
}

function offersFilter({ replyMode, transmissionFlags }: TransmissionFacts): boolean {
  return replyMode === 'extended' && (transmissionFlags & TransmissionFlag.BLOCK_STATUS_PAYLOAD) !== 0;
}
