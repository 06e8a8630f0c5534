import { OptionReplyType, parseRepServer, type ExportListing } from '@holdfast/nbd-protocol';
import { LISTED_EXPORTS_MAX } from '../../limits.js';
import { malformedReply, tooManyReplies, unexpectedReply, type OptionExchange } from '../option-exchange.js';

/** LIST: one REP_SERVER for each export (section "Option types"). */
export function listOption(): OptionExchange<readonly ExportListing[]> {
  const listings: ExportListing[] = [];
  return {
    option: 'LIST',
    data: new Uint8Array(),
    take: (type, data) => {
      if (type !== OptionReplyType.SERVER) throw unexpectedReply('LIST', type);
      if (listings.length === LISTED_EXPORTS_MAX) throw tooManyReplies('LIST', LISTED_EXPORTS_MAX);
      const listing = parseRepServer(data);
      if (listing === 'malformed') throw malformedReply('LIST');
      listings.push(listing);
    },
    finish: () => listings,
    after: 'options',
  };
}
