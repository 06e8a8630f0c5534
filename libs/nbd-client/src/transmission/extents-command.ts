import { assert } from '@holdfast/foundation';
import type { Extent } from '../extents/extent-list.js';
import { walkExtents } from '../extents/walk-extents.js';
import { prepareBlockStatus, type Range } from './block-status-command.js';
import type { CommandIssuer } from './command-issuer.js';

/** Walks over the extents of a range as one metadata context has them. */
export function extentsOf(
  issuer: CommandIssuer,
  context: string,
  { offset, length }: Range,
): AsyncGenerator<Extent, undefined> {
  const { replyMode, blockSize } = issuer.facts;
  return walkExtents(
    {
      isExtended: replyMode === 'extended',
      blockSizeMinimum: blockSize.minimum,
      query: async (from, count) => {
        const range = { offset: from, length: count };
        const [answer] = await prepareBlockStatus(issuer, range, { contexts: [context] })();
        assert(answer !== undefined, 'a reply answers every metadata context that was asked for');
        return answer.extents;
      },
    },
    offset,
    offset + length,
  );
}
