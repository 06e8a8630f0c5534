import {
  encodeMetaContextRequest,
  META_CONTEXT_QUERIES_MAX,
  OptionReplyType,
  parseRepMetaContext,
  type MetaContext,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../../errors/protocol-error.js';
import { LISTED_CONTEXTS_MAX } from '../../limits.js';
import {
  malformedReply,
  tooManyReplies,
  unexpectedReply,
  type OptionExchange,
  type OptionName,
} from '../option-exchange.js';

/** LIST_META_CONTEXT: the names of contexts; "the metadata context ID in these replies is reserved". */
export function listMetaContextOption(
  exportName: string,
  queries: readonly string[],
): OptionExchange<readonly string[]> {
  const replies = contextReplies('LIST_META_CONTEXT', LISTED_CONTEXTS_MAX);
  return {
    option: 'LIST_META_CONTEXT',
    data: encodeMetaContextRequest({ exportName, queries }),
    take: replies.take,
    finish: () => replies.contexts.map(({ name }) => name),
    after: 'options',
  };
}

/** SET_META_CONTEXT: the contexts that are selected from now on, "each with a unique metadata context ID" (N9). */
export function setMetaContextOption(
  exportName: string,
  queries: readonly string[],
): OptionExchange<readonly MetaContext[]> {
  const replies = contextReplies('SET_META_CONTEXT', META_CONTEXT_QUERIES_MAX);
  return {
    option: 'SET_META_CONTEXT',
    data: encodeMetaContextRequest({ exportName, queries }),
    take: replies.take,
    finish: () => {
      const { contexts } = replies;
      if (new Set(contexts.map(({ id }) => id)).size !== contexts.length) {
        throw new NbdProtocolError('malformed-option-reply', 'two metadata contexts have one id');
      }
      return contexts;
    },
    after: 'options',
  };
}

function contextReplies(option: OptionName, max: number) {
  const contexts: MetaContext[] = [];
  const take = (type: number, data: Uint8Array): void => {
    if (type !== OptionReplyType.META_CONTEXT) throw unexpectedReply(option, type);
    if (contexts.length === max) throw tooManyReplies(option, max);
    const context = parseRepMetaContext(data);
    if (context === 'malformed') throw malformedReply(option);
    contexts.push(context);
  };
  return { contexts, take };
}
